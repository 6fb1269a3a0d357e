//! anomaly says how unusual the newest value of a window is that a device reports.
//!
//! reported.pressure.window is a list of numbers, the newest last. The rule learns
//!
//! - plugin.score: how far the newest is from the median of those before it, where 1
//!   is what a standard deviation would be, rounded to tenths
//! - plugin.median and plugin.newest, as the window has them or half-way between two
//! - plugin.samples: how many there are before the newest
//!
//! The spread is the median of the distances to the median, which a few wild values
//! do not move, and at least minSpread, so that a sensor that stood still is not
//! unusual when it moves a little. What is no number is passed over. A device with
//! fewer than minSamples before the newest does not match, since nobody can tell.
mod twinrules;

use twinrules::{Answer, Input, Plugin, Value};

struct Anomaly {
    min_samples: usize,
    min_spread: f64,
}

twinrules::export!(Anomaly);

/// The longest window that is looked at: its newest part.
const LONGEST: usize = 512;

/// Makes the median distance a standard deviation where values are normal.
const NORMAL: f64 = 1.4826;

impl Plugin for Anomaly {
    fn configure(config: Value<'static>) -> Result<Self, String> {
        let min_samples = config.get("minSamples").int().unwrap_or(8);
        let min_spread = config.get("minSpread").float().ok_or("minSpread is not a number")?;
        if min_spread <= 0.0 || !(3..LONGEST as i64).contains(&min_samples) {
            return Err(format!("minSpread is above 0, and minSamples from 3 to {}", LONGEST - 1));
        }
        Ok(Anomaly { min_samples: min_samples as usize, min_spread })
    }

    fn judge(&self, input: &Input, out: &mut Answer) -> Result<bool, String> {
        let mut window: Vec<f64> = input.twin.get("reported.pressure.window").elements().filter_map(|e| e.float()).collect();
        window.drain(..window.len().saturating_sub(LONGEST));
        let newest = match window.pop() {
            Some(x) if window.len() >= self.min_samples => x,
            _ => return Ok(false),
        };
        let samples = window.len();
        let middle = median(&mut window);
        for x in window.iter_mut() {
            *x = (*x - middle).abs();
        }
        let spread = (median(&mut window) * NORMAL).max(self.min_spread);
        let score = ((newest - middle).abs() / spread).min(1e6);

        out.fact("score", (score * 10.0).round() / 10.0);
        out.fact("median", middle);
        out.fact("newest", newest);
        out.fact("samples", samples as i64);
        Ok(true)
    }
}

/// Returns the value in the middle, having sorted them.
fn median(list: &mut [f64]) -> f64 {
    list.sort_unstable_by(f64::total_cmp);
    let n = list.len();
    if n % 2 == 1 {
        list[n / 2]
    } else {
        list[n / 2 - 1] / 2.0 + list[n / 2] / 2.0
    }
}
