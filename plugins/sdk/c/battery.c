// battery finds devices whose battery is low. It is the sample that there is in
// each language, to start from.
#include "twinrules.h"

static double low;

const char *tw_configure(tw_value config) { return tw_number(tw_get(config, "low"), &low) ? 0 : "low is not a number"; }

int tw_judge(const tw_input *in, tw_answer *out) {
  tw_value charge = tw_get(in->twin, "reported.battery.pct"), note = tw_get(in->twin, "reported.note");
  tw_text owner = tw_words("somebody");
  double percent;
  if (!tw_exists(charge)) return TW_NO;
  if (!tw_number(charge, &percent))
    return tw_fail(out, tw_join(tw_words("the charge is not a number: "), (tw_text){charge.at, charge.end - charge.at}));
  if (percent >= low) return TW_NO;
  tw_string(tw_get(in->twin, "tags.owner"), &owner);

  tw_fact(out, "pct", charge); // as the device spells it
  tw_fact(out, "missing", tw_decimal(low - percent));
  tw_fact(out, "at", tw_whole(in->now));
  if (tw_exists(note)) tw_fact(out, "note", note);
  tw_set(out, "tags.power", tw_literal("saver"));
  tw_set(out, "tags.full", tw_null());
  tw_set(out, "desired.report.everyMin", tw_whole(60));
  tw_set(out, "desired.report.brief", tw_truth(true));
  tw_message(out, tw_join(owner, tw_words(" should charge it")));
  tw_severity(out, "warning");
  tw_label(out, "owner", owner);
  return TW_MATCH;
}
