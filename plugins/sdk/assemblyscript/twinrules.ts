// For writing twinrules plugins in AssemblyScript, without a package.
//
// Put this file beside yours, register two functions, and export what the host
// calls:
//
//   export { twinrules_v1_alloc, twinrules_v1_init, twinrules_v1_evaluate } from "./twinrules";
//   plugin(configure, judge);
//
// then build it and give it its manifest as docs/plugins.md says:
//
//   asc my.ts -O3 --noAssert --runtime stub --exportStart _initialize -o my.wasm
//
// A plugin is a function of its input: what it keeps in variables after its
// configuration is gone in the next call, for the host puts all memory back. So
// nothing is ever freed: the stub runtime, which only takes, is the right one.

/** A twin at a moment. */
export class Input {
  constructor(
    public now: i64, // milliseconds since 1970
    /** Has id, tags, desired, reported and so on, or what the manifest declares to read. */
    public twin: Value,
  ) {}
}

/** Reads the configuration, an object, and returns "", or what is wrong with it. */
export type Configure = (config: Value) => string;

/** Looks at one twin, adds what it finds to out and returns whether it matches. */
export type Judge = (input: Input, out: Answer) => bool;

let configurePlugin: Configure = () => "the plugin does not call plugin";
let judgeTwin: Judge = () => false;

/** Registers the plugin of the module. */
export function plugin(configure: Configure, judge: Judge): void {
  configurePlugin = configure;
  judgeTwin = judge;
}

// @ts-ignore: decorator
@external("twinrules", "log")
declare function hostLog(level: i32, at: usize, n: i32): void;

/** Says something to whoever looks at the log: level is 0 for debug, then info, warning and error. */
export function log(level: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  hostLog(level, changetype<usize>(bytes), bytes.byteLength);
}

/**
 * A JSON value as it stands in the text, or nothing: a missing one says so of
 * every method. The text is trusted to be JSON, as it is when the host wrote it.
 */
export class Value {
  /** Its text stands in memory between at and end. */
  constructor(readonly at: usize, readonly end: usize) {}

  /** Returns a JSON text as a value. */
  static parse(json: string): Value {
    const bytes = String.UTF8.encode(json);
    const at = changetype<usize>(bytes);
    return Value.within(at, at + bytes.byteLength);
  }

  static within(at: usize, end: usize): Value {
    at = space(at, end);
    return new Value(at, skip(at, end));
  }

  static text(words: string): Value {
    return Value.parse(quoted(words));
  }

  static number(x: f64): Value {
    assert(isFinite(x), "JSON has neither NaN nor infinity");
    const whole = <i64>x;
    return Value.parse(abs(x) < 9007199254740992.0 && <f64>whole == x ? whole.toString() : x.toString());
  }

  static int(n: i64): Value {
    return Value.parse(n.toString());
  }

  static bool(b: bool): Value {
    return Value.parse(b ? "true" : "false");
  }

  /** Null, which deletes. */
  static null(): Value {
    return Value.parse("null");
  }

  /** Reports whether there is a value, null included. */
  get exists(): bool {
    return this.at < this.end;
  }

  /** The JSON text as it stands; "" when it is missing. */
  get raw(): string {
    return String.UTF8.decodeUnsafe(this.at, this.end - this.at);
  }

  /**
   * Returns the value at path, such as "reported.battery.pct", with the keys of
   * objects between dots. It is missing when the path leads elsewhere.
   */
  get(path: string): Value {
    let v: Value = this;
    for (let from = 0; from < path.length && v.exists; ) {
      let to = path.indexOf(".", from);
      if (to < 0) to = path.length;
      v = v.member(path, from, to);
      from = to + 1;
    }
    return v;
  }

  /** member looks for the key that stands in path between from and to. */
  private member(path: string, from: i32, to: i32): Value {
    if (this.is(Byte.brace)) {
      const items = new Items(this);
      while (items.next()) if (items.keyIs(path, from, to)) return items.value;
    }
    return new Value(0, 0);
  }

  private is(first: u8): bool {
    return this.exists && load<u8>(this.at) == first;
  }

  /** The members of an object or elements of an array; none of other values. */
  get items(): Items {
    return new Items(this);
  }

  get isText(): bool {
    return this.is(Byte.quote);
  }

  /** The string; "" when it is something else. */
  get text(): string {
    return this.isText ? unquote(this.at, this.end) : "";
  }

  /** A number that an f64 holds; NaN when it is something else. */
  get float(): f64 {
    if (!this.isNumber) return NaN;
    const x = parseFloat(this.raw);
    return isFinite(x) ? x : NaN;
  }

  /** Is it spelled as a number? */
  get isNumber(): bool {
    if (!this.exists) return false;
    const c = load<u8>(this.at);
    return c == Byte.minus || (c >= Byte.zero && c <= Byte.nine);
  }

  /** Is it a whole number that is spelled as one and fits? */
  get isInt(): bool {
    const minus = this.is(Byte.minus);
    let sum: u64 = 0;
    for (let p = this.at + <usize>minus; p < this.end; p++) {
      const digit: u64 = load<u8>(p) - Byte.zero;
      if (digit > 9 || sum > (<u64>i64.MAX_VALUE - digit) / 10) return false;
      sum = sum * 10 + digit;
    }
    return this.isNumber;
  }

  /** The whole number; 0 when it is something else. */
  get int(): i64 {
    return this.isInt ? I64.parseInt(this.raw) : 0;
  }

  get isBool(): bool {
    return this.is(Byte.t) || this.is(Byte.f);
  }

  /** Is it true? */
  get bool(): bool {
    return this.is(Byte.t);
  }
}

namespace Byte {
  export const quote: u8 = 0x22;
  export const comma: u8 = 0x2c;
  export const minus: u8 = 0x2d;
  export const zero: u8 = 0x30;
  export const nine: u8 = 0x39;
  export const open: u8 = 0x5b;
  export const backslash: u8 = 0x5c;
  export const close: u8 = 0x5d;
  export const f: u8 = 0x66;
  export const t: u8 = 0x74;
  export const u: u8 = 0x75;
  export const brace: u8 = 0x7b;
  export const unbrace: u8 = 0x7d;
}

/**
 * What stands between the brackets of an object or array:
 *
 *   const items = list.items;
 *   while (items.next()) use(items.key, items.value);
 */
export class Items {
  private p: usize;
  private end: usize;
  private from: usize = 0; // of the key
  private to: usize = 0;
  private object: bool;
  value: Value = new Value(0, 0);

  constructor(list: Value) {
    const first: u8 = list.exists ? load<u8>(list.at) : 0;
    this.object = first == Byte.brace;
    this.p = list.at;
    this.end = this.object || first == Byte.open ? list.end : 0;
  }

  /** Moves to the next one and reports whether there is one. */
  next(): bool {
    const end = this.end;
    let p = space(this.p, end);
    if (p >= end) return false;
    const c = load<u8>(p);
    if (this.value.exists && c != Byte.comma) return false;
    p = space(p + 1, end);
    if (p >= end || load<u8>(p) == Byte.unbrace || load<u8>(p) == Byte.close) return false;
    if (this.object) {
      this.from = p;
      this.to = skipString(p, end);
      p = space(space(this.to, end) + 1, end); // behind the colon
    }
    this.p = skip(p, end);
    this.value = new Value(p, this.p);
    return true;
  }

  /** The key; "" in an array. */
  get key(): string {
    return this.object ? unquote(this.from, this.to) : "";
  }

  /** keyIs compares without making a string, where nothing is escaped. */
  keyIs(path: string, from: i32, to: i32): bool {
    let p = this.from + 1;
    for (; from < to; from++, p++) {
      const c = load<u8>(p);
      if (c >= 0x80 || c == Byte.backslash) return this.key == path.substring(from - <i32>(p - this.from - 1), to);
      if (<i32>c != path.charCodeAt(from)) return false;
    }
    return p + 1 == this.to;
  }
}

function space(p: usize, end: usize): usize {
  while (p < end && load<u8>(p) <= 0x20) p++;
  return p;
}

/** Returns the place behind the value at p. It does not call itself, so that no twin is too deep. */
function skip(p: usize, end: usize): usize {
  if (p >= end) return p;
  let c = load<u8>(p);
  if (c == Byte.quote) return skipString(p, end);
  if (c != Byte.brace && c != Byte.open) {
    for (; p < end; p++) {
      c = load<u8>(p);
      if (c == Byte.comma || c == Byte.unbrace || c == Byte.close || c <= 0x20) break;
    }
    return p;
  }
  for (let depth = 0; p < end; p++) {
    c = load<u8>(p);
    if (c == Byte.quote) p = skipString(p, end) - 1;
    else if (c == Byte.brace || c == Byte.open) depth++;
    else if ((c == Byte.unbrace || c == Byte.close) && --depth == 0) return p + 1;
  }
  return end;
}

function skipString(p: usize, end: usize): usize {
  for (p++; p < end; p++) {
    const c = load<u8>(p);
    if (c == Byte.quote) return p + 1;
    if (c == Byte.backslash) p++;
  }
  return end;
}

/** Returns the string that is spelled with quotes. Parts are joined at the end: to add to a string copies it, and nothing is freed. */
function unquote(at: usize, end: usize): string {
  const spelled = String.UTF8.decodeUnsafe(at + 1, end - at - 2);
  let from = spelled.indexOf("\\");
  if (from < 0) return spelled;
  const out: string[] = [];
  let done = 0;
  for (; from >= 0; from = spelled.indexOf("\\", done)) {
    if (done < from) out.push(spelled.substring(done, from));
    const c = spelled.charCodeAt(from + 1);
    done = from + 2;
    switch (c) {
      case 0x62: out.push("\b"); break;
      case 0x66: out.push("\f"); break;
      case 0x6e: out.push("\n"); break;
      case 0x72: out.push("\r"); break;
      case 0x74: out.push("\t"); break;
      case 0x75: // two halves of a pair come together in UTF-16
        out.push(String.fromCharCode(<i32>I64.parseInt(spelled.substring(done, done + 4), 16)));
        done += 4;
        break;
      default: out.push(String.fromCharCode(c));
    }
  }
  out.push(spelled.substring(done));
  return out.join("");
}

/** Spells text as JSON. Halves of pairs that are alone become U+FFFD. */
function quoted(text: string): string {
  const out: string[] = ["\""];
  let done = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x20 && c != 0x22 && c != 0x5c && (c & 0xf800) != 0xd800) continue;
    if ((c & 0xfc00) == 0xd800 && i + 1 < text.length && (text.charCodeAt(i + 1) & 0xfc00) == 0xdc00) {
      i++;
      continue;
    }
    if (done < i) out.push(text.substring(done, i));
    done = i + 1;
    if (c == 0x22) out.push("\\\"");
    else if (c == 0x5c) out.push("\\\\");
    else if (c < 0x20) out.push("\\u00" + (c < 16 ? "0" : "1") + (c & 15).toString(16));
    else out.push("\ufffd");
  }
  out.push(text.substring(done));
  out.push("\"");
  return out.join("");
}

/** What a plugin says of a twin that it matches. */
export class Answer {
  private facts: Tree = new Tree("");
  private tags: Tree = new Tree("");
  private desired: Tree = new Tree("");
  private labels: Tree = new Tree("");
  private words: string = "";
  private rank: string = "";
  why: string = "";

  /** Adds a fact, which the rule reads as plugin.<name>. */
  fact(name: string, value: Value): void {
    this.facts.kid(name).set(value.raw);
  }

  /**
   * Adds a value to the patch. path starts with "tags." or "desired.", as in
   * "tags.wave", and must be among the manifest's writes. Null deletes.
   */
  set(path: string, value: Value): void {
    assert(path.startsWith("tags.") || path.startsWith("desired."), "a path is not in tags or desired");
    const keys = path.split(".");
    let tree = keys[0] == "tags" ? this.tags : this.desired;
    for (let i = 1; i < keys.length; i++) tree = tree.kid(keys[i]);
    tree.set(value.raw);
  }

  /** Says something to people. */
  message(words: string): void {
    this.words = words;
  }

  /** Ranks the answer as "info", "warning" or "error". */
  severity(rank: string): void {
    this.rank = rank;
  }

  /** Adds a label for reports. */
  label(name: string, words: string): void {
    this.labels.kid(name).set(quoted(words));
  }

  /** Says that the plugin cannot tell, and why: return out.fail(…). */
  fail(why: string): bool {
    this.why = why;
    return false;
  }

  json(): string {
    let out = "{\"match\":true" + this.facts.member("facts");
    const patch = this.tags.member("tags") + this.desired.member("desired");
    if (patch != "") out += ",\"patch\":{" + patch.substring(1) + "}";
    if (this.words != "") out += ",\"message\":" + quoted(this.words);
    if (this.rank != "") out += ",\"severity\":" + quoted(this.rank);
    return out + this.labels.member("labels") + "}";
  }
}

/** An object that is being built, in the order of its making. */
class Tree {
  private value: string = ""; // JSON; "" when there are kids
  private kids: Tree[] = [];

  constructor(private key: string) {}

  set(json: string): void {
    this.value = json == "" ? "null" : json;
    this.kids = [];
  }

  kid(key: string): Tree {
    this.value = "";
    for (let i = 0; i < this.kids.length; i++) if (this.kids[i].key == key) return this.kids[i];
    const kid = new Tree(key);
    this.kids.push(kid);
    return kid;
  }

  /** The object behind a comma, or "" when it is empty. */
  member(key: string): string {
    return this.kids.length == 0 ? "" : "," + quoted(key) + ":" + this.json();
  }

  private json(): string {
    if (this.kids.length == 0) return this.value;
    let out = "";
    for (let i = 0; i < this.kids.length; i++) out += this.kids[i].entry();
    return "{" + out.substring(1) + "}";
  }

  private entry(): string {
    return "," + quoted(this.key) + ":" + this.json();
  }
}

function place(json: string): u64 {
  if (json == "") return 0;
  const bytes = String.UTF8.encode(json);
  return ((<u64>changetype<usize>(bytes)) << 32) | (<u64>bytes.byteLength);
}

function failure(why: string): string {
  return why == "" ? "" : "{\"error\":{\"message\":" + quoted(why) + "}}";
}

export function twinrules_v1_alloc(size: usize): usize {
  return heap.alloc(size);
}

export function twinrules_v1_init(at: usize, n: usize): u64 {
  return place(failure(configurePlugin(Value.within(at, at + n))));
}

export function twinrules_v1_evaluate(at: usize, n: usize): u64 {
  const root = Value.within(at, at + n);
  const out = new Answer();
  const match = judgeTwin(new Input(root.get("now").int, root.get("twin")), out);
  return place(out.why != "" ? failure(out.why) : match ? out.json() : "");
}
