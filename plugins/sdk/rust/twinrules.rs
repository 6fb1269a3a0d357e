//! For writing twinrules plugins in Rust, without a crate.
//!
//! Put this file beside yours, implement [`Plugin`], and export it:
//!
//! ```ignore
//! mod twinrules;
//! twinrules::export!(Battery);
//! ```
//!
//! then build it and give it its manifest as docs/plugins.md says:
//!
//! ```sh
//! rustc --edition 2021 --target wasm32-unknown-unknown --crate-type cdylib -C opt-level=3 -C panic=abort -C lto \
//!   -C codegen-units=1 -C strip=debuginfo -C link-arg=--stack-first -C link-arg=-zstack-size=16384 -o my.wasm my.rs
//! ```
//!
//! A plugin is a function of its input: what it keeps in variables after its
//! configuration is gone in the next call, for the host puts all memory back. So
//! nothing is ever freed. Keep memory small, since putting it back costs time.
#![allow(dead_code)]

use std::borrow::Cow;

/// A plugin with a rule's configuration.
pub trait Plugin: Sized {
    /// Reads the configuration, an object, or says what is wrong with it.
    fn configure(config: Value<'static>) -> Result<Self, String>;

    /// Looks at one twin, adds what it finds to `out` and says whether the twin
    /// matches. An error says that it cannot tell.
    fn judge(&self, input: &Input, out: &mut Answer) -> Result<bool, String>;
}

/// A twin at a moment.
pub struct Input<'a> {
    pub now: i64, // milliseconds since 1970
    /// Has the members that rules have: id, tags, desired, reported and so on, or
    /// those that the manifest declares to read.
    pub twin: Value<'a>,
}

/// A JSON value as it stands in the text, or nothing: a missing one says so of
/// every method. The text is trusted to be JSON, as it is when the host wrote it.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// Returns the JSON value in `text`.
    pub fn parse(text: &'a [u8]) -> Self {
        let start = space(text, 0);
        Value(&text[start..skip(text, start)])
    }

    /// Reports whether there is a value, null included.
    pub fn exists(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns the JSON text, as it stands.
    pub fn raw(&self) -> &'a str {
        std::str::from_utf8(self.0).unwrap_or("")
    }

    /// Returns the value at `path`, such as "reported.battery.pct", with the keys of
    /// objects between dots. It is missing when the path leads elsewhere.
    pub fn get(&self, path: &str) -> Value<'a> {
        path.split('.').fold(*self, |v, key| v.member(key))
    }

    fn member(&self, want: &str) -> Value<'a> {
        self.members().find(|(key, _)| key == want).map_or(Value(b""), |(_, value)| value)
    }

    /// Yields the keys and values of an object, in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let mut items = Items::new(self.0, b'{');
        std::iter::from_fn(move || {
            let key = items.next()?;
            items.at = space(items.text, items.at) + 1; // behind the colon
            Some((unquote(key), Value(items.value())))
        })
    }

    /// Yields the elements of an array.
    pub fn elements(&self) -> impl Iterator<Item = Value<'a>> {
        let mut items = Items::new(self.0, b'[');
        std::iter::from_fn(move || items.next().map(Value))
    }

    /// Returns a string.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self.0.first() {
            Some(b'"') => Some(unquote(self.0)),
            _ => None,
        }
    }

    /// Returns a number that an `f64` holds.
    pub fn float(&self) -> Option<f64> {
        match self.0.first()? {
            b'-' | b'0'..=b'9' => self.raw().parse().ok().filter(|x: &f64| x.is_finite()),
            _ => None,
        }
    }

    /// Returns a whole number that is spelled as one and fits.
    pub fn int(&self) -> Option<i64> {
        self.raw().parse().ok()
    }

    /// Returns true or false.
    pub fn bool(&self) -> Option<bool> {
        match self.0.first()? {
            b't' => Some(true),
            b'f' => Some(false),
            _ => None,
        }
    }
}

/// What stands between the brackets of an object or array: its strings and values.
struct Items<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Items<'a> {
    fn new(text: &'a [u8], open: u8) -> Self {
        Items { text: if text.first() == Some(&open) { text } else { b"" }, at: 0 }
    }

    /// Returns what follows an opening bracket or a comma.
    fn next(&mut self) -> Option<&'a [u8]> {
        self.at = space(self.text, self.at);
        match self.text.get(self.at)? {
            b'{' | b'[' if self.at == 0 => {}
            b',' => {}
            _ => return None,
        }
        self.at += 1;
        let item = self.value();
        if item.is_empty() {
            return None;
        }
        Some(item)
    }

    fn value(&mut self) -> &'a [u8] {
        let start = space(self.text, self.at);
        self.at = skip(self.text, start);
        &self.text[start..self.at]
    }
}

fn space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
        at += 1;
    }
    at.min(text.len())
}

/// Returns the place behind the value at `at`. It does not call itself, so that no
/// twin is too deep.
fn skip(text: &[u8], mut at: usize) -> usize {
    match text.get(at) {
        Some(b'"') => return skip_string(text, at),
        Some(b'{' | b'[') => {}
        _ => {
            while matches!(text.get(at), Some(c) if !matches!(c, b',' | b'}' | b']') && *c > b' ') {
                at += 1;
            }
            return at;
        }
    }
    let mut depth = 0;
    while let Some(c) = text.get(at) {
        match c {
            b'"' => at = skip_string(text, at) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn skip_string(text: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(c) = text.get(at) {
        at += match c {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    text.len()
}

/// Returns the string that is spelled with quotes.
fn unquote(spelled: &[u8]) -> Cow<str> {
    let inner = match spelled.len() {
        0 | 1 => "",
        n => std::str::from_utf8(&spelled[1..n - 1]).unwrap_or(""),
    };
    let mut parts = inner.split('\\');
    let head = parts.next().unwrap_or("");
    if head.len() == inner.len() {
        return Cow::Borrowed(inner);
    }
    Cow::Owned(unescape(inner, head.len()))
}

fn unescape(inner: &str, first: usize) -> String {
    let mut out = String::with_capacity(inner.len());
    out.push_str(&inner[..first]);
    let mut rest = inner[first..].chars();
    while let Some(c) = rest.next() {
        out.push(match c {
            '\\' => match rest.next().unwrap_or('\\') {
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => escaped(&mut rest),
                other => other,
            },
            other => other,
        });
    }
    out
}

/// Reads the digits after `\u`, and those of a second half that follows. Halves
/// that are alone become U+FFFD.
fn escaped(rest: &mut std::str::Chars) -> char {
    let first = digits(rest).unwrap_or(0xfffd);
    if let (0xd800..=0xdbff, Some(behind)) = (first, rest.as_str().strip_prefix("\\u")) {
        let mut behind = behind.chars();
        if let Some(second @ 0xdc00..=0xdfff) = digits(&mut behind) {
            *rest = behind;
            return char::from_u32(0x10000 + ((first & 0x3ff) << 10 | second & 0x3ff)).unwrap_or('\u{fffd}');
        }
    }
    char::from_u32(first).unwrap_or('\u{fffd}')
}

fn digits(rest: &mut std::str::Chars) -> Option<u32> {
    let n = u32::from_str_radix(rest.as_str().get(..4)?, 16).ok()?;
    rest.nth(3);
    Some(n)
}

/// What can stand in an answer.
pub trait Json {
    fn json(&self) -> String;
}

impl Json for Value<'_> {
    /// The value as it stands, so that numbers keep their spelling; null when missing.
    fn json(&self) -> String {
        String::from(if self.exists() { self.raw() } else { "null" })
    }
}

impl Json for &str {
    fn json(&self) -> String {
        quoted(self)
    }
}

impl Json for bool {
    fn json(&self) -> String {
        String::from(if *self { "true" } else { "false" })
    }
}

impl Json for i64 {
    fn json(&self) -> String {
        format!("{}", self)
    }
}

impl Json for f64 {
    /// The shortest spelling. NaN and infinity, which JSON has not, panic.
    fn json(&self) -> String {
        assert!(self.is_finite(), "JSON has neither NaN nor infinity");
        match if *self < 0.0 { -self } else { *self } {
            size if size == 0.0 || (1e-5..1e16).contains(&size) => format!("{}", self),
            _ => format!("{:e}", self),
        }
    }
}

/// Null, which deletes.
pub struct Null;

impl Json for Null {
    fn json(&self) -> String {
        String::from("null")
    }
}

/// What a plugin says of a twin that it matches.
#[derive(Default)]
pub struct Answer {
    facts: Tree,
    tags: Tree,
    desired: Tree,
    labels: Tree,
    message: String,
    severity: String,
}

impl Answer {
    /// Adds a fact, which the rule reads as plugin.<name>.
    pub fn fact(&mut self, name: &str, value: impl Json) {
        self.facts.kid(name).value = value.json();
    }

    /// Adds a value to the patch. `path` starts with "tags." or "desired.", as in
    /// "tags.wave", and must be among the manifest's writes. [`Null`] deletes.
    pub fn set(&mut self, path: &str, value: impl Json) {
        let section = match path.split_once('.') {
            Some(("tags", rest)) => self.tags.at(rest),
            Some(("desired", rest)) => self.desired.at(rest),
            _ => panic!("a path is not in tags or desired"),
        };
        section.kids.clear();
        section.value = value.json();
    }

    /// Says something to people.
    pub fn message(&mut self, text: impl Into<String>) {
        self.message = text.into();
    }

    /// Ranks the answer as "info", "warning" or "error".
    pub fn severity(&mut self, rank: &str) {
        self.severity = String::from(rank);
    }

    /// Adds a label for reports.
    pub fn label(&mut self, name: &str, text: &str) {
        self.labels.kid(name).value = quoted(text);
    }

    fn json(&self) -> String {
        let mut out = String::from("{\"match\":true");
        self.facts.member(&mut out, "facts");
        if !self.tags.kids.is_empty() || !self.desired.kids.is_empty() {
            let mut patch = String::new();
            self.tags.member(&mut patch, "tags");
            self.desired.member(&mut patch, "desired");
            out.push_str(",\"patch\":{");
            out.push_str(&patch[1..]); // without its first comma
            out.push('}');
        }
        for (key, text) in [("message", &self.message), ("severity", &self.severity)] {
            if !text.is_empty() {
                member(&mut out, key);
                quote(&mut out, text);
            }
        }
        self.labels.member(&mut out, "labels");
        out.push('}');
        out
    }
}

/// An object that is being built, in the order of its making.
#[derive(Default)]
struct Tree {
    key: String,
    value: String, // JSON; empty when there are kids
    kids: Vec<Tree>,
}

impl Tree {
    fn at(&mut self, path: &str) -> &mut Tree {
        path.split('.').fold(self, |tree, key| tree.kid(key))
    }

    fn kid(&mut self, key: &str) -> &mut Tree {
        self.value.clear();
        let n = self.kids.iter().position(|k| k.key == key).unwrap_or(self.kids.len());
        if n == self.kids.len() {
            self.kids.push(Tree { key: String::from(key), ..Tree::default() });
        }
        &mut self.kids[n]
    }

    /// Writes the object after a comma, unless it is empty.
    fn member(&self, out: &mut String, key: &str) {
        if !self.kids.is_empty() {
            member(out, key);
            self.write(out);
        }
    }

    fn write(&self, out: &mut String) {
        if self.kids.is_empty() {
            return out.push_str(&self.value);
        }
        for (i, k) in self.kids.iter().enumerate() {
            out.push(if i == 0 { '{' } else { ',' });
            quote(out, &k.key);
            out.push(':');
            k.write(out);
        }
        out.push('}');
    }
}

fn member(out: &mut String, key: &str) {
    out.push(',');
    quote(out, key);
    out.push(':');
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(&mut out, text);
    out
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", c as u32)),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn failure(why: &str) -> String {
    format!("{{\"error\":{{\"message\":{}}}}}", quoted(why))
}

/// Does for a test what the host does: it configures the plugin with a JSON text
/// and returns its answer to `input`; "" is no match.
pub fn run<P: Plugin>(config: &'static str, input: &str) -> Result<String, String> {
    answer(&P::configure(Value::parse(config.as_bytes()))?, input.as_bytes())
}

pub fn answer<P: Plugin>(plugin: &P, message: &[u8]) -> Result<String, String> {
    let root = Value::parse(message);
    let input = Input { now: root.get("now").int().unwrap_or(0), twin: root.get("twin") };
    let mut out = Answer::default();
    Ok(if plugin.judge(&input, &mut out)? { out.json() } else { String::new() })
}

/// Exports a type as the plugin of its module.
macro_rules! export {
    ($plugin:ident) => {
        #[cfg(target_arch = "wasm32")]
        mod exports {
            use super::twinrules::guest;

            static mut PLUGIN: Option<super::$plugin> = None;

            #[no_mangle]
            pub extern "C" fn twinrules_v1_alloc(size: usize) -> *mut u8 {
                guest::input(size)
            }

            // There is one thread, and the host does not call while it is called.
            #[no_mangle]
            pub unsafe extern "C" fn twinrules_v1_init(at: *const u8, n: usize) -> u64 {
                guest::configure(&mut *std::ptr::addr_of_mut!(PLUGIN), at, n)
            }

            #[no_mangle]
            pub unsafe extern "C" fn twinrules_v1_evaluate(at: *const u8, n: usize) -> u64 {
                guest::evaluate(&*std::ptr::addr_of!(PLUGIN), at, n)
            }
        }
    };
}
pub(crate) use export;

/// What only a module has.
#[cfg(target_arch = "wasm32")]
pub mod guest {
    use super::*;
    use std::alloc::{GlobalAlloc, Layout};
    use std::arch::wasm32;

    pub fn input(size: usize) -> *mut u8 {
        Vec::<u8>::with_capacity(size).leak().as_mut_ptr()
    }

    pub unsafe fn configure<P: Plugin>(plugin: &mut Option<P>, at: *const u8, n: usize) -> u64 {
        // Without this a panic is a trap that says nothing.
        std::panic::set_hook(Box::new(|info| log(3, &info.to_string())));
        match P::configure(Value::parse(std::slice::from_raw_parts(at, n))) {
            Ok(p) => *plugin = Some(p),
            Err(why) => return place(failure(&why)),
        }
        0
    }

    pub unsafe fn evaluate<P: Plugin>(plugin: &Option<P>, at: *const u8, n: usize) -> u64 {
        match plugin {
            Some(p) => place(answer(p, std::slice::from_raw_parts(at, n)).unwrap_or_else(|why| failure(&why))),
            None => place(failure("it has no configuration")),
        }
    }

    fn place(out: String) -> u64 {
        if out.is_empty() {
            return 0;
        }
        let out = out.into_bytes().leak();
        (out.as_ptr() as u64) << 32 | out.len() as u64
    }

    #[link(wasm_import_module = "twinrules")]
    extern "C" {
        #[link_name = "log"]
        fn host_log(level: u32, at: *const u8, n: usize);
    }

    /// Says something to whoever looks at the log: `level` is 0 for debug, then
    /// info, warning and error.
    pub fn log(level: u32, text: &str) {
        unsafe { host_log(level, text.as_ptr(), text.len()) }
    }

    /// Takes memory from behind the module's data and never gives it back, which
    /// the host does after each call.
    struct Bump;

    #[global_allocator]
    static BUMP: Bump = Bump;

    static mut TOP: usize = 0;

    unsafe impl GlobalAlloc for Bump {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            extern "C" {
                static __heap_base: u8;
            }
            let top = if TOP == 0 { &__heap_base as *const u8 as usize } else { TOP };
            let at = (top + layout.align() - 1) & !(layout.align() - 1);
            let end = at + layout.size();
            let have = wasm32::memory_size(0) << 16;
            if end > have && wasm32::memory_grow(0, (end - have + 0xffff) >> 16) == usize::MAX {
                return std::ptr::null_mut();
            }
            TOP = end;
            at as *mut u8
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

        /// What was made last grows where it is, as texts do that are written.
        unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if old as usize + layout.size() == TOP {
                TOP = old as usize;
            }
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if new != old && !new.is_null() {
                std::ptr::copy_nonoverlapping(old, new, layout.size().min(size));
            }
            new
        }
    }
}
