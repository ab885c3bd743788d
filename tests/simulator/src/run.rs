//! A seed, run to its end or to the first trouble.

use anyhow::Result;
use fastrand::Rng;

use crate::plan;
use crate::shrink;
use crate::steps::Step;
use crate::world::{Template, Trouble, World};

/// What a run came to.
pub struct Ran {
    /// How many steps were taken.
    pub steps: usize,
    /// A line for each, and what came of it.
    pub trace: Vec<String>,
    /// What was wrong in the end, if anything.
    pub trouble: Option<Trouble>,
}

/// What a seed came to.
pub struct Failure {
    /// Which.
    pub seed: u64,
    /// What is wrong.
    pub trouble: Trouble,
    /// The fewest steps that were found to lead there.
    pub steps: Vec<Step>,
    /// A line for each of them.
    pub trace: Vec<String>,
}

/// Takes steps in the world of a seed.
///
/// # Errors
/// When the world does not open.
pub fn take(template: &Template, seed: u64, steps: &[Step]) -> Result<Ran> {
    // What the product draws (waits have some jitter) it draws from this thread's generator.
    fastrand::seed(seed);
    let mut world = World::open(template, &mut Rng::with_seed(seed), shops(seed))?;
    let mut trace = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let came_of_it = world.take(step);
        trace.push(match &came_of_it {
            Ok(outcome) if outcome.is_empty() => format!("{}  {step}", world.time()),
            Ok(outcome) => format!("{}  {step}: {outcome}", world.time()),
            Err(trouble) => format!("{}  {step}: {trouble}", world.time()),
        });
        if let Err(trouble) = came_of_it {
            return Ok(Ran { steps: at + 1, trace, trouble: Some(trouble) });
        }
    }
    Ok(Ran { steps: steps.len(), trace, trouble: None })
}

/// How many shops there are in the world of a seed.
pub fn shops(seed: u64) -> usize {
    Rng::with_seed(seed ^ 0x5409_5409).usize(1..4)
}

/// What happens in the world of a seed within so many hours.
pub fn plan(seed: u64, hours: i64) -> Vec<Step> {
    plan::draw(&mut Rng::with_seed(seed ^ 0x0ddb_a115), hours, shops(seed))
}

/// Runs a seed. Says how many steps were taken; and of a failure the fewest that lead to it.
///
/// # Errors
/// When a world does not open.
pub fn run(template: &Template, seed: u64, hours: i64) -> Result<(usize, Option<Failure>)> {
    until_trouble(template, seed, &plan(seed, hours))
}

/// The same, with these steps.
///
/// # Errors
/// When a world does not open.
pub fn until_trouble(template: &Template, seed: u64, steps: &[Step]) -> Result<(usize, Option<Failure>)> {
    let ran = take(template, seed, steps)?;
    let Some(trouble) = ran.trouble else { return Ok((ran.steps, None)) };
    eprintln!("seed {seed}: {trouble}; looking for fewer steps that come to that");
    let kind = std::mem::discriminant(&trouble);
    let fails = |steps: &[Step]| {
        let ran = take(template, seed, steps).ok()?;
        ran.trouble.filter(|trouble| std::mem::discriminant(trouble) == kind).map(|_| ran.steps)
    };
    let steps = shrink::shrink(steps[..ran.steps].to_vec(), fails);
    let last = take(template, seed, &steps)?;
    let trouble = last.trouble.unwrap_or(trouble);
    Ok((ran.steps, Some(Failure { seed, trouble, steps, trace: last.trace })))
}
