// battery finds devices whose battery is low. It is the sample that there is in
// each language, to start from.
import { Answer, Input, Value, plugin } from "./twinrules";
export { twinrules_v1_alloc, twinrules_v1_init, twinrules_v1_evaluate } from "./twinrules";

let low: f64 = 0;

plugin(configure, judge); // below the variables that the two use

function configure(config: Value): string {
  low = config.get("low").float;
  return isNaN(low) ? "low is not a number" : "";
}

function judge(input: Input, out: Answer): bool {
  const charge = input.twin.get("reported.battery.pct");
  if (!charge.exists) return false;
  const percent = charge.float;
  if (isNaN(percent)) return out.fail("the charge is not a number: " + charge.raw);
  if (percent >= low) return false;
  const name = input.twin.get("tags.owner");
  const owner = name.isText ? name.text : "somebody";
  const note = input.twin.get("reported.note");

  out.fact("pct", charge); // as the device spells it
  out.fact("missing", Value.number(low - percent));
  out.fact("at", Value.int(input.now));
  if (note.exists) out.fact("note", note);
  out.set("tags.power", Value.text("saver"));
  out.set("tags.full", Value.null());
  out.set("desired.report.everyMin", Value.int(60));
  out.set("desired.report.brief", Value.bool(true));
  out.message(owner + " should charge it");
  out.severity("warning");
  out.label("owner", owner);
  return true;
}
