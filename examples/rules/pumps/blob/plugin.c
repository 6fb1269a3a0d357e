// blob compares what a maker's controller runs with what it should run, by meaning.
//
// The controller keeps its settings in one text, and gives it back in its own way:
//
//	desired.controller.settings    P1=4.5; mode=auto; LIM=10,20
//	reported.controller.settings   LIM=10.0,20;MODE=Auto;P1=4.50;UPTIME=1234
//
// which are the same: the order, white space, how letters and numbers are spelled,
// and what stands only in the report and is configured to be ignored. The rule
// learns plugin.count, of settings that differ, and plugin.differs, their names in
// the order of what is desired, those that should not be there last. A device that
// has not both texts does not match; a text that is none of such settings is an
// error.
#include "twinrules.h"

enum { MOST = 128 };

typedef struct { tw_text key, value; } setting;
typedef struct { setting at[MOST]; int n; } settings;

static tw_value ignored;

const char *tw_configure(tw_value config) {
  ignored = tw_get(config, "ignore");
  return 0;
}

static tw_text trim(tw_text t) {
  for (; t.n && t.at[0] <= ' '; t.at++) t.n--;
  for (; t.n && t.at[t.n - 1] <= ' ';) t.n--;
  return t;
}

// before cuts the part before a character off rest, or all of it.
static tw_text before(char c, tw_text *rest) {
  tw_text head = {rest->at, 0};
  while (head.n < rest->n && head.at[head.n] != c) head.n++;
  size_t gone = head.n + (head.n < rest->n);
  *rest = (tw_text){rest->at + gone, rest->n - gone};
  return trim(head);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c; }

static bool alike(tw_text a, tw_text b) {
  if (a.n != b.n) return false;
  for (size_t i = 0; i < a.n; i++)
    if (lower(a.at[i]) != lower(b.at[i])) return false;
  return true;
}

// number says whether all of t is a number, which may have zeros in front.
static bool number(tw_text t, double *x) {
  size_t i = t.n && t.at[0] == '-', digits = 0, points = 0;
  for (; i < t.n; i++) {
    if (t.at[i] == '.') points++;
    else if (t.at[i] < '0' || t.at[i] > '9') return false;
    else digits++;
  }
  return digits > 0 && points < 2 && tw_number((tw_value){t.at, t.at + t.n}, x);
}

// same compares two values, lists of words and numbers between commas.
static bool same(tw_text a, tw_text b) {
  do {
    tw_text x = before(',', &a), y = before(',', &b);
    double m, n;
    if (!(number(x, &m) && number(y, &n) ? m == n : alike(x, y))) return false;
  } while (a.n && b.n);
  return a.n == b.n;
}

static setting *find(settings *list, tw_text key) {
  for (int i = 0; i < list->n; i++)
    if (alike(list->at[i].key, key)) return &list->at[i];
  return 0;
}

// parse reads a text of settings, of which the last with a name counts.
static bool parse(tw_text text, settings *list) {
  list->n = 0;
  while (text.n) {
    tw_text value = before(';', &text);
    if (!value.n) continue;
    size_t whole = value.n;
    tw_text key = before('=', &value);
    if (!key.n || key.n == whole) return false;
    setting *s = find(list, key);
    if (!s && list->n == MOST) return false;
    if (!s) s = &list->at[list->n++];
    *s = (setting){key, trim(value)};
  }
  return true;
}

static bool ignore(tw_text key) {
  tw_text name;
  for (tw_value e = tw_next(ignored, (tw_value){0}, 0); tw_exists(e); e = tw_next(ignored, e, 0))
    if (tw_string(e, &name) && alike(name, key)) return true;
  return false;
}

static void note(tw_text key, tw_text *names, int *count) {
  *names = names->n ? tw_join(tw_join(*names, tw_words(" ")), key) : key;
  (*count)++;
}

int tw_judge(const tw_input *in, tw_answer *out) {
  tw_text want, have, names = {"", 0};
  settings *wanted = tw_new(sizeof *wanted), *found = tw_new(sizeof *found);
  int count = 0;
  if (!tw_string(tw_get(in->twin, "desired.controller.settings"), &want)) return TW_NO;
  if (!tw_string(tw_get(in->twin, "reported.controller.settings"), &have)) return TW_NO;
  if (!parse(want, wanted)) return tw_fail(out, tw_words("desired.controller.settings is not a list of settings"));
  if (!parse(have, found)) return tw_fail(out, tw_words("reported.controller.settings is not a list of settings"));
  for (int i = 0; i < wanted->n; i++) {
    setting *s = find(found, wanted->at[i].key);
    if (!ignore(wanted->at[i].key) && !(s && same(s->value, wanted->at[i].value))) note(wanted->at[i].key, &names, &count);
  }
  for (int i = 0; i < found->n; i++)
    if (!ignore(found->at[i].key) && !find(wanted, found->at[i].key)) note(found->at[i].key, &names, &count);
  tw_fact(out, "count", tw_whole(count));
  tw_fact(out, "differs", tw_quoted(names));
  return TW_MATCH;
}
