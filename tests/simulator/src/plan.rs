//! A plan: a list of steps that is drawn ahead from the seed.

use fastrand::Rng;

use crate::steps::{self, Settle, Step, Wait};

/// Shops are told apart by a number up to this; there may be fewer.
const SHOPS: usize = 6;

/// Draws what happens within so many hours, in so many shops.
pub fn draw(rng: &mut Rng, hours: i64, shops: usize) -> Vec<Step> {
    let (mut left, mut steps) = (hours * 60, Vec::new());
    let mut day = left;
    let mut is_busy = true;
    while left > 0 {
        if day - left >= 24 * 60 {
            day = left;
            steps.push(Step::new(0, Settle));
            is_busy = rng.u32(0..3) == 0;
        }
        let minutes = pause(rng, is_busy);
        left -= minutes;
        if minutes > 0 {
            steps.push(Step::new(0, Wait { minutes }));
        }
        for _ in 0..shops {
            let shop = rng.usize(0..SHOPS);
            steps.extend(steps::draw(rng).into_iter().map(|act| Step { shop, act }));
        }
    }
    steps.push(Step::new(0, Settle));
    steps
}

/// On a busy day much happens within minutes, then nothing for half a day; on a quiet one little happens.
fn pause(rng: &mut Rng, is_busy: bool) -> i64 {
    match rng.u32(0..20) {
        _ if !is_busy => rng.i64(30..400),
        0 => rng.i64(200..900),
        1..=5 => rng.i64(20..150),
        _ => rng.i64(0..15),
    }
}
