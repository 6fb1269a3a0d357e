//! battery finds devices whose battery is low. It is the sample that there is in
//! each language, to start from.

mod twinrules;

use std::borrow::Cow;
use twinrules::{Answer, Input, Null, Plugin, Value};

struct Battery {
    low: f64,
}

twinrules::export!(Battery);

impl Plugin for Battery {
    fn configure(config: Value<'static>) -> Result<Self, String> {
        let low = config.get("low").float().ok_or("low is not a number")?;
        Ok(Battery { low })
    }

    fn judge(&self, input: &Input, out: &mut Answer) -> Result<bool, String> {
        let charge = input.twin.get("reported.battery.pct");
        if !charge.exists() {
            return Ok(false);
        }
        let percent = charge.float().ok_or_else(|| format!("the charge is not a number: {}", charge.raw()))?;
        if percent >= self.low {
            return Ok(false);
        }
        let owner = input.twin.get("tags.owner").text().unwrap_or(Cow::Borrowed("somebody"));
        let note = input.twin.get("reported.note");

        out.fact("pct", charge); // as the device spells it
        out.fact("missing", self.low - percent);
        out.fact("at", input.now);
        if note.exists() {
            out.fact("note", note);
        }
        out.set("tags.power", "saver");
        out.set("tags.full", Null);
        out.set("desired.report.everyMin", 60);
        out.set("desired.report.brief", true);
        out.message(format!("{} should charge it", owner));
        out.severity("warning");
        out.label("owner", &owner);
        Ok(true)
    }
}
