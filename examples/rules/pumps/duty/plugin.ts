// duty says whether a device is on duty now, by cycles that are written as for cron.
//
// The configuration has the cycles, each with the minute, hour, day, month and day
// of the week when a duty starts, how many minutes it lasts, and where the clock
// stands that it goes by:
//
//   {"cycles": {"night": {"start": "0 22 * * 1-5", "minutes": 90, "utcOffsetMin": 60}}}
//
// tags.duty names the device's cycle. The rule learns plugin.active, plugin.cycle,
// and plugin.leftMin: how many minutes of the duty are left, 0 while it is not on
// duty. A device without a known cycle does not match.
import { Answer, Input, Value, plugin } from "./twinrules";
export { twinrules_v1_alloc, twinrules_v1_init, twinrules_v1_evaluate } from "./twinrules";

const cycles: Cycle[] = [];

plugin(configure, judge); // below the variables that the two use

/** A field of a start: the values that it has, and whether it was written as *. */
class Field {
  values: u64 = 0;
  any: bool = false;
  wrong: string = "";

  constructor(words: string, low: i32, high: i32) {
    this.any = words == "*";
    const parts = words.split(",");
    for (let i = 0; i < parts.length; i++) this.add(parts[i], low, high);
  }

  /** Adds "*", "5" or "5-9", each of which may end in "/2". */
  private add(part: string, low: i32, high: i32): void {
    const slash = part.indexOf("/");
    const step = slash < 0 ? 1 : whole(part.substring(slash + 1));
    const range = slash < 0 ? part : part.substring(0, slash);
    const dash = range.indexOf("-");
    let from = low;
    let to = high;
    if (range != "*") {
      from = whole(dash < 0 ? range : range.substring(0, dash));
      to = dash >= 0 ? whole(range.substring(dash + 1)) : slash < 0 ? from : high;
    }
    if (from < low || to > high || from > to || step < 1) {
      this.wrong = part + " is not within " + low.toString() + "-" + high.toString();
      return;
    }
    for (let n = from; n <= to; n += step) this.values |= <u64>1 << n;
  }

  has(n: i64): bool {
    return (this.values >> n & 1) == 1;
  }
}

/** Returns a whole number of at most four digits, -1 for anything else. */
function whole(digits: string): i32 {
  if (digits.length == 0 || digits.length > 4) return -1;
  let n = 0;
  for (let i = 0; i < digits.length; i++) {
    const d = digits.charCodeAt(i) - 0x30;
    if (d < 0 || d > 9) return -1;
    n = 10 * n + d;
  }
  return n;
}

class Cycle {
  fields: Field[] = [];
  wrong: string = "";

  constructor(public name: string, start: string, public minutes: i64, public offset: i64) {
    const words = start.split(" ");
    const low = [0, 0, 1, 1, 0];
    const high = [59, 23, 31, 12, 7];
    if (words.length != 5) {
      this.wrong = "a start has five fields: " + start;
    }
    for (let i = 0; i < 5 && this.wrong == ""; i++) {
      const f = new Field(words[i], low[i], high[i]);
      if (f.wrong != "") this.wrong = f.wrong;
      this.fields.push(f);
    }
  }

  /** Does a duty start in a minute, which is counted from 1970? */
  startsAt(minute: i64): bool {
    const day = floorDiv(minute, 1440);
    const inDay = minute - 1440 * day;
    return this.fields[0].has(inDay % 60) && this.fields[1].has(inDay / 60) && this.startsOn(day);
  }

  /** As cron does: of a day and a day of the week that are both given, one is enough. */
  private startsOn(day: i64): bool {
    const date = new Date(day * 86400000);
    const weekday = date.getUTCDay();
    const onDay = this.fields[2].has(date.getUTCDate());
    const onWeekday = this.fields[4].has(weekday) || (weekday == 0 && this.fields[4].has(7));
    if (!this.fields[3].has(date.getUTCMonth() + 1)) return false;
    return this.fields[2].any || this.fields[4].any ? onDay && onWeekday : onDay || onWeekday;
  }
}

function floorDiv(a: i64, b: i64): i64 {
  return a >= 0 ? a / b : (a - b + 1) / b;
}

function configure(config: Value): string {
  const items = config.get("cycles").items;
  while (items.next()) {
    const c = items.value;
    const cycle = new Cycle(items.key, c.get("start").text, c.get("minutes").int, c.get("utcOffsetMin").int);
    if (cycle.wrong != "") return "cycle " + cycle.name + ": " + cycle.wrong;
    cycles.push(cycle);
  }
  return cycles.length == 0 ? "there are no cycles" : "";
}

function find(name: string): i32 {
  for (let i = 0; i < cycles.length; i++) if (cycles[i].name == name) return i;
  return -1;
}

function judge(input: Input, out: Answer): bool {
  const i = find(input.twin.get("tags.duty").text);
  if (i < 0) return false;
  const cycle = cycles[i];
  const now = floorDiv(input.now, 60000) + cycle.offset;
  let left: i64 = 0;
  for (let since: i64 = 0; since < cycle.minutes && left == 0; since++) {
    if (cycle.startsAt(now - since)) left = cycle.minutes - since;
  }
  out.fact("active", Value.bool(left > 0));
  out.fact("leftMin", Value.int(left));
  out.fact("cycle", Value.text(cycle.name));
  return true;
}
