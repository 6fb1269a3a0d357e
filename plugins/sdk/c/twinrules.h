// twinrules.h is for writing twinrules plugins in C, without a library.
//
// Include it once and define two functions:
//
//	const char *tw_configure(tw_value config);          // 0, or what is wrong with it
//	int tw_judge(const tw_input *in, tw_answer *out);   // TW_NO, TW_MATCH, or tw_fail(…)
//
// then build it and give it its manifest as ../../../docs/plugins.md says:
//
//	clang --target=wasm32 -O2 -nostdlib -ffreestanding -mbulk-memory -Wl,--no-entry \
//	  -Wl,--stack-first -Wl,-z,stack-size=8192 -Wl,--strip-debug -o my.wasm my.c
//
// A plugin is a function of its input: what it keeps in variables after its
// configuration is gone in the next call, for the host puts all memory back. So
// nothing is ever freed. Keep memory small, since putting it back costs time.
#ifndef TWINRULES_H
#define TWINRULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A tw_text is text in UTF-8; it does not end with a zero.
typedef struct { const char *at; size_t n; } tw_text;

// A tw_value is a JSON value as it stands in the text, or nothing: one whose at
// is 0 is missing, and every function says so of it. The text is trusted to be
// JSON, as it is when the host wrote it.
typedef struct { const char *at, *end; } tw_value;

// A tw_input is a twin at a moment.
typedef struct {
  int64_t now;   // milliseconds since 1970
  tw_value twin; // with id, tags, desired, reported and so on, or what is declared to be read
} tw_input;

typedef struct tw_set_value {
  struct tw_set_value *next;
  tw_text path;
  tw_value value;
} tw_set_value;

// A tw_answer is what a plugin says of a twin. Fill it with the functions below.
typedef struct {
  tw_set_value *facts, *tags, *desired, *labels;
  tw_value message, severity, error;
} tw_answer;

// What tw_judge returns.
enum { TW_NO, TW_MATCH, TW_FAILED };

const char *tw_configure(tw_value config);
int tw_judge(const tw_input *in, tw_answer *out);

// ---- memory

extern unsigned char __heap_base;
static unsigned char *tw_top = &__heap_base;

// tw_new returns n bytes, which are never freed. There is no more memory than the
// host gives; a plugin that wants more traps.
static void *tw_new(size_t n) {
  unsigned char *at = tw_top;
  size_t have = __builtin_wasm_memory_size(0) << 16, pages;
  n = (n + 7) & ~(size_t)7;
  if (n > have - (size_t)at) {
    pages = (n - (have - (size_t)at) + 0xffff) >> 16;
    if (n > 1u << 30 || __builtin_wasm_memory_grow(0, pages) == (size_t)-1) __builtin_trap();
  }
  tw_top = at + n;
  return at;
}

static inline void tw_copy(char *to, const char *from, size_t n) { __builtin_memcpy(to, from, n); }

// tw_log says something to whoever looks at the log: level is 0 for debug, then
// info, warning and error.
__attribute__((import_module("twinrules"), import_name("log"))) void tw_log(int level, const char *at, size_t n);

// ---- text

static inline tw_text tw_words(const char *literal) {
  tw_text t = {literal, 0};
  while (literal[t.n]) t.n++;
  return t;
}

static inline bool tw_equal(tw_text a, tw_text b) {
  if (a.n != b.n) return false;
  for (size_t i = 0; i < a.n; i++)
    if (a.at[i] != b.at[i]) return false;
  return true;
}

static inline bool tw_is(tw_text t, const char *literal) { return tw_equal(t, tw_words(literal)); }

// tw_join returns a and b as one.
static inline tw_text tw_join(tw_text a, tw_text b) {
  char *to = tw_new(a.n + b.n);
  tw_copy(to, a.at, a.n);
  tw_copy(to + a.n, b.at, b.n);
  return (tw_text){to, a.n + b.n};
}

// ---- reading

static inline bool tw_exists(tw_value v) { return v.at && v.at < v.end; }

static inline const char *tw_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
  return p;
}

static const char *tw_skip_string(const char *p, const char *end) {
  for (p++; p < end && *p != '"'; p++)
    if (*p == '\\') p++;
  return p < end ? p + 1 : end;
}

// tw_skip returns the place behind the value at p. It does not call itself, so
// that no twin is too deep.
static const char *tw_skip(const char *p, const char *end) {
  int depth = 0;
  if (p < end && *p == '"') return tw_skip_string(p, end);
  if (p < end && *p != '{' && *p != '[') {
    while (p < end && *p != ',' && *p != '}' && *p != ']' && *p > ' ') p++;
    return p;
  }
  while (p < end) {
    switch (*p) {
    case '"':
      p = tw_skip_string(p, end);
      continue;
    case '{':
    case '[':
      depth++;
      break;
    case '}':
    case ']':
      if (--depth == 0) return p + 1;
    }
    p++;
  }
  return end;
}

static int tw_hex(const char *p, const char *end) {
  int n = 0;
  if (end - p < 4) return -1;
  for (int i = 0; i < 4; i++) {
    int c = p[i], d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (d < 0) return -1;
    n = n << 4 | d;
  }
  return n;
}

static char *tw_utf8(char *to, unsigned r) {
  if (r < 0x80) return *to++ = (char)r, to;
  if (r < 0x800) return *to++ = (char)(0xc0 | r >> 6), *to++ = (char)(0x80 | (r & 63)), to;
  if (r < 0x10000) return *to++ = (char)(0xe0 | r >> 12), *to++ = (char)(0x80 | (r >> 6 & 63)), *to++ = (char)(0x80 | (r & 63)), to;
  *to++ = (char)(0xf0 | r >> 18), *to++ = (char)(0x80 | (r >> 12 & 63));
  return *to++ = (char)(0x80 | (r >> 6 & 63)), *to++ = (char)(0x80 | (r & 63)), to;
}

// tw_escape decodes what stands behind \u at *p, with the second half of a pair
// if it follows; halves that are alone become U+FFFD.
static unsigned tw_escape(const char **p, const char *end) {
  int first = tw_hex(*p, end), second;
  if (first < 0) return 0xfffd;
  *p += 4;
  if (first < 0xd800 || first > 0xdfff) return (unsigned)first;
  if (first > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u') return 0xfffd;
  second = tw_hex(*p + 2, end);
  if (second < 0xdc00 || second > 0xdfff) return 0xfffd;
  *p += 6;
  return 0x10000 + (unsigned)((first & 0x3ff) << 10 | (second & 0x3ff));
}

// tw_unquote returns the text that is spelled with quotes at p: a part of the
// input where nothing is escaped, else a copy.
static tw_text tw_unquote(const char *p, const char *end) {
  static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
  const char *s = ++p;
  char *out, *at;
  for (end--; s < end && *s != '\\'; s++) {}
  if (s >= end) return (tw_text){p, end > p ? (size_t)(end - p) : 0};
  out = at = tw_new((size_t)(end - p));
  while (p < end) {
    char c = *p++;
    if (c != '\\' || p == end) {
      *at++ = c;
      continue;
    }
    if ((c = *p++) == 'u') {
      at = tw_utf8(at, tw_escape(&p, end));
      continue;
    }
    for (int i = 0; i < 5; i++)
      if (c == from[i]) {
        c = to[i];
        break;
      }
    *at++ = c;
  }
  return (tw_text){out, (size_t)(at - out)};
}

// tw_next moves through an object or an array: it returns the member or element
// behind item, whose end is where to go on, and starts when item is missing. key,
// unless it is 0, gets the key, "" in an array. A missing value ends it.
//
//	for (tw_value e = tw_next(list, (tw_value){0}, 0); tw_exists(e); e = tw_next(list, e, 0))
static tw_value tw_next(tw_value of, tw_value item, tw_text *key) {
  const char *p = item.at ? item.end : of.at, *end = of.end;
  tw_value none = {0};
  if (!tw_exists(of) || (*of.at != '{' && *of.at != '[')) return none;
  p = item.at ? tw_space(p, end) : p;
  if (item.at && (p >= end || *p != ',')) return none;
  p = tw_space(p + 1, end);
  if (p >= end || *p == '}' || *p == ']') return none;
  if (key) *key = (tw_text){"", 0};
  if (*of.at == '{') {
    const char *behind = tw_skip_string(p, end);
    if (key) *key = tw_unquote(p, behind);
    p = tw_space(tw_space(behind, end) + 1, end);
  }
  return (tw_value){p, tw_skip(p, end)};
}

// tw_get returns the value at path, such as "reported.battery.pct", with the keys
// of objects between dots. It is missing when the path leads elsewhere.
static tw_value tw_get(tw_value v, const char *path) {
  while (tw_exists(v) && *path) {
    tw_text want = {path, 0}, key;
    tw_value item = {0};
    while (path[want.n] && path[want.n] != '.') want.n++;
    path += want.n + (path[want.n] == '.');
    if (*v.at != '{') return item;
    for (item = tw_next(v, item, &key); tw_exists(item) && !tw_equal(key, want);) item = tw_next(v, item, &key);
    v = item;
  }
  return v;
}

// tw_string says whether v is a string, and puts it into text.
static inline bool tw_string(tw_value v, tw_text *text) {
  if (!tw_exists(v) || *v.at != '"') return false;
  *text = tw_unquote(v.at, v.end);
  return true;
}

// tw_bool says whether v is true or false, and puts it into b.
static inline bool tw_bool(tw_value v, bool *b) {
  if (!tw_exists(v) || (*v.at != 't' && *v.at != 'f')) return false;
  *b = *v.at == 't';
  return true;
}

// tw_int says whether v is a whole number that is spelled as one and fits, and
// puts it into n.
static inline bool tw_int(tw_value v, int64_t *n) {
  const char *p = v.at;
  bool minus = tw_exists(v) && *p == '-';
  uint64_t sum = 0;
  if (!tw_exists(v) || (p += minus) == v.end) return false;
  for (; p < v.end; p++) {
    unsigned digit = (unsigned)(*p - '0');
    if (digit > 9 || sum > (INT64_MAX - digit) / 10) return false;
    sum = sum * 10 + digit;
  }
  *n = minus ? -(int64_t)sum : (int64_t)sum;
  return true;
}

// tw_scale returns x times ten to the power of e. It is exact up to 10^22, which
// is the largest that a double holds exactly.
static double tw_scale(double x, int e) {
  double power = 1;
  for (; e > 22; e -= 22) x *= 1e22;
  for (; e < -22; e += 22) x /= 1e22;
  for (int i = e < 0 ? -e : e; i > 0; i--) power *= 10;
  return e < 0 ? x / power : x * power;
}

// tw_number says whether v is a number that a double holds, and puts it into x:
// the nearest one when it is spelled with up to 15 digits and an exponent up to
// 22, else one within a few units of the last place.
static bool tw_number(tw_value v, double *x) {
  const char *p = v.at;
  bool minus = tw_exists(v) && *p == '-', fraction = false;
  uint64_t digits = 0;
  int shift = 0, e = 0, sign = 1;
  if (!tw_exists(v) || (p += minus) == v.end || *p < '0' || *p > '9') return false;
  for (; p < v.end && (*p == '.' || (*p >= '0' && *p <= '9')); p++) {
    if (*p == '.') {
      fraction = true;
    } else if (digits < 100000000000000000ull) {
      digits = digits * 10 + (unsigned)(*p - '0');
      shift -= fraction;
    } else {
      shift += !fraction;
    }
  }
  if (p < v.end && (*p | 32) == 'e') {
    if (*++p == '-' || *p == '+') sign = *p++ == '-' ? -1 : 1;
    for (; p < v.end; p++) e = e > 100000 ? e : e * 10 + (*p - '0');
  }
  e = sign * e + shift;
  if (e > 400 && digits) return false;
  *x = tw_scale((double)digits, e < -400 ? -400 : e);
  if (*x - *x != 0) return false;
  if (minus) *x = -*x;
  return true;
}

// ---- writing

// tw_quoted returns text as a JSON string. What is not UTF-8 is the caller's
// mistake, and the host refuses it.
static tw_value tw_quoted(tw_text text) {
  static const char hex[] = "0123456789abcdef";
  char *out = tw_new(6 * text.n + 2), *at = out;
  *at++ = '"';
  for (size_t i = 0; i < text.n; i++) {
    unsigned char c = (unsigned char)text.at[i];
    if (c < 0x20) {
      tw_copy(at, "\\u00", 4);
      at[4] = hex[c >> 4], at[5] = hex[c & 15];
      at += 6;
      continue;
    }
    if (c == '"' || c == '\\') *at++ = '\\';
    *at++ = (char)c;
  }
  *at++ = '"';
  tw_top = (unsigned char *)(((uintptr_t)at + 7) & ~(uintptr_t)7);
  return (tw_value){out, at};
}

static inline tw_value tw_literal(const char *words) { return tw_quoted(tw_words(words)); }
static inline tw_value tw_raw(const char *json) { return (tw_value){json, json + tw_words(json).n}; }
static inline tw_value tw_null(void) { return tw_raw("null"); }
static inline tw_value tw_truth(bool b) { return tw_raw(b ? "true" : "false"); }

static tw_value tw_whole(int64_t n) {
  char *end = (char *)tw_new(24) + 24, *at = end;
  uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
  do *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (n < 0) *--at = '-';
  return (tw_value){at, end};
}

// tw_decimal returns x as JSON with 15 significant digits at most, and traps for
// NaN and infinity, which JSON has not.
static tw_value tw_decimal(double x) {
  double size = x < 0 ? -x : x;
  int e = 0;
  if (size - size != 0) __builtin_trap();
  if (size < 9007199254740992.0 && (double)(int64_t)x == x) return tw_whole((int64_t)x);
  while (tw_scale(size, -e) >= 10) e++;
  while (tw_scale(size, -e) < 1) e--;
  uint64_t digits = (uint64_t)(tw_scale(size, 14 - e) + 0.5);
  if (digits >= 1000000000000000ull) digits /= 10, e++;
  int n = 15;
  for (; n > 1 && digits % 10 == 0; n--) digits /= 10;
  char *out = tw_new(48), *at = out;
  if (x < 0) *at++ = '-';
  bool plain = e >= -5 && e < 15;
  int lead = plain && e < 0 ? -e : 0; // zeros before the first digit
  int point = plain && e >= 0 ? e + 1 : 1;
  for (int i = 0; i < lead; i++) {
    *at++ = '0';
    if (i == 0) *at++ = '.';
  }
  char spelled[16];
  for (int i = n - 1; i >= 0; i--, digits /= 10) spelled[i] = (char)('0' + digits % 10);
  for (int i = 0; i < n || (!lead && i < point); i++) {
    if (i == point && !lead) *at++ = '.';
    *at++ = i < n ? spelled[i] : '0';
  }
  if (!plain) {
    *at++ = 'e';
    tw_value power = tw_whole(e);
    tw_copy(at, power.at, (size_t)(power.end - power.at));
    at += power.end - power.at;
  }
  return (tw_value){out, at};
}

// tw_covers says whether path is above or at the same place as other.
static bool tw_covers(tw_text path, tw_text other) {
  return path.n <= other.n && tw_equal(path, (tw_text){other.at, path.n}) && (path.n == other.n || other.at[path.n] == '.');
}

// tw_put adds a value at the end of list, in place of those it replaces.
static void tw_put(tw_set_value **list, tw_text path, tw_value value, bool nested) {
  while (*list) {
    tw_text have = (*list)->path;
    if (nested ? tw_covers(have, path) || tw_covers(path, have) : tw_equal(have, path)) {
      *list = (*list)->next;
    } else {
      list = &(*list)->next;
    }
  }
  *list = tw_new(sizeof **list);
  **list = (tw_set_value){0, path, value};
}

// tw_fact adds a fact, which the rule reads as plugin.<name>.
static inline void tw_fact(tw_answer *a, const char *name, tw_value value) { tw_put(&a->facts, tw_words(name), value, false); }

// tw_set adds a value to the patch. path starts with "tags." or "desired.", as in
// "tags.wave", and must be among the manifest's writes. Null deletes.
static inline void tw_set(tw_answer *a, const char *path, tw_value value) {
  tw_text p = tw_words(path);
  size_t head = tw_covers(tw_words("tags"), p) ? 5 : tw_covers(tw_words("desired"), p) ? 8 : 0;
  if (!head || p.n <= head) __builtin_trap();
  tw_put(head == 5 ? &a->tags : &a->desired, (tw_text){p.at + head, p.n - head}, value, true);
}

// tw_message says something to people.
static inline void tw_message(tw_answer *a, tw_text words) { a->message = tw_quoted(words); }

// tw_severity ranks the answer as "info", "warning" or "error".
static inline void tw_severity(tw_answer *a, const char *rank) { a->severity = tw_literal(rank); }

// tw_label adds a label for reports.
static inline void tw_label(tw_answer *a, const char *name, tw_text words) { tw_put(&a->labels, tw_words(name), tw_quoted(words), false); }

// tw_fail says that the plugin cannot tell, and why: return tw_fail(…).
static inline int tw_fail(tw_answer *a, tw_text why) {
  a->error = tw_quoted(why);
  return TW_FAILED;
}

// ---- what the host calls

// The answer grows at the end of memory, while nothing else is allocated.
static void tw_emit(const char *at, size_t n) {
  char *to = tw_new(n + 8);
  tw_copy(to, at, n);
  tw_top = (unsigned char *)to + n;
}

static void tw_say(const char *words) { tw_emit(words, tw_words(words).n); }

static void tw_member(const char *key, tw_value value) {
  if (!tw_exists(value)) return;
  tw_say(key);
  tw_emit(value.at, (size_t)(value.end - value.at));
}

// tw_object writes those from first on whose paths agree with its up to skip. It
// goes as deep as the paths do that the plugin's own code spells.
static void tw_object(tw_set_value *first, size_t skip, bool nested) {
  bool more = false;
  for (tw_set_value *v = first; v; v = v->next) {
    tw_text key = {v->path.at + skip, 0};
    bool seen = false;
    if (v->path.n < skip || !tw_equal((tw_text){v->path.at, skip}, (tw_text){first->path.at, skip})) continue;
    while (skip + key.n < v->path.n && !(nested && key.at[key.n] == '.')) key.n++;
    for (tw_set_value *before = first; before != v && !seen; before = before->next)
      seen = nested && tw_covers((tw_text){v->path.at, skip + key.n}, before->path);
    if (seen) continue;
    tw_say(more ? "," : "{");
    more = true;
    tw_top = (unsigned char *)tw_quoted(key).end; // it was made right at the end of the answer
    tw_say(":");
    if (skip + key.n == v->path.n) {
      tw_emit(v->value.at, (size_t)(v->value.end - v->value.at));
    } else {
      tw_object(v, skip + key.n + 1, nested);
    }
  }
  tw_say("}");
}

static void tw_section(const char *key, tw_set_value *list, bool nested) {
  if (!list) return;
  tw_say(key);
  tw_object(list, 0, nested);
}

static uint64_t tw_place(unsigned char *from) { return (uint64_t)(uintptr_t)from << 32 | (uint64_t)(tw_top - from); }

static uint64_t tw_failure(tw_value why) {
  unsigned char *from = tw_top;
  tw_member("{\"error\":{\"message\":", why);
  tw_say("}}");
  return tw_place(from);
}

static uint64_t tw_found(tw_answer *a) {
  unsigned char *from = tw_top;
  tw_say("{\"match\":true");
  tw_section(",\"facts\":", a->facts, false);
  if (a->tags || a->desired) {
    tw_say(",\"patch\":{");
    tw_section("\"tags\":", a->tags, true);
    if (a->tags && a->desired) tw_say(",");
    tw_section("\"desired\":", a->desired, true);
    tw_say("}");
  }
  tw_member(",\"message\":", a->message);
  tw_member(",\"severity\":", a->severity);
  tw_section(",\"labels\":", a->labels, false);
  tw_say("}");
  return tw_place(from);
}

__attribute__((export_name("twinrules_v1_alloc"))) void *twinrules_v1_alloc(size_t size) { return tw_new(size); }

__attribute__((export_name("twinrules_v1_init"))) uint64_t twinrules_v1_init(const char *at, size_t n) {
  const char *wrong = tw_configure((tw_value){tw_space(at, at + n), at + n});
  return wrong ? tw_failure(tw_literal(wrong)) : 0;
}

__attribute__((export_name("twinrules_v1_evaluate"))) uint64_t twinrules_v1_evaluate(const char *at, size_t n) {
  tw_value root = {tw_space(at, at + n), at + n};
  tw_input in = {0, tw_get(root, "twin")};
  tw_answer out = {0};
  tw_int(tw_get(root, "now"), &in.now);
  switch (tw_judge(&in, &out)) {
  case TW_MATCH:
    return tw_found(&out);
  case TW_FAILED:
    return tw_failure(out.error);
  }
  return 0;
}

#endif
