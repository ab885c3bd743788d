//! Reading a run's file, batch by batch; broken connections are taken up again where they broke.

use std::time::Duration;

use tokio::time::sleep;

use super::file::{File, FileError};
use super::lines::Batch;
use super::work::Work;
use super::{Run, store};
use crate::tasks::TaskError;

/// How often in a row a file is taken up again without getting any further.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// How far reading came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// To the end.
    Whole,
    /// To where the file ends, which is not its end.
    Cut,
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was to be done with it.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// Reads a file from where it was read to its end, which is at `size` if that is known.
pub(super) async fn through(work: &mut Work<'_>, url: &str, size: Option<u64>) -> Result<Reading, Error> {
    let mut tries = 0;
    loop {
        let before = work.run.position;
        let position = u64::try_from(before).unwrap_or(0);
        let broken = match File::open(work.app.bulk.files(), url, position).await {
            Ok(Some(file)) => match on(work, file, size).await {
                Ok(Reading::Whole) => return Ok(Reading::Whole),
                Ok(Reading::Cut) => None,
                Err(Error::File(error)) => Some(error),
                Err(error) => return Err(error),
            },
            Ok(None) if size.is_none_or(|size| position >= size) => return Ok(Reading::Whole),
            Ok(None) => None,
            Err(error @ (FileError::Broken(_) | FileError::Answer(_))) => Some(error),
            Err(error) => return Err(error.into()),
        };
        tries = if work.run.position > before { 1 } else { tries + 1 };
        if tries >= TRIES {
            return broken.map_or(Ok(Reading::Cut), |error| Err(error.into()));
        }
        let (shop, position) = (work.shop.id, work.run.position);
        tracing::debug!(%shop, position, error = ?broken, "a bulk operation's file is taken up again");
        sleep(FIRST_WAIT * 2_u32.pow(tries)).await;
    }
}

/// Reads on, and acts on what comes.
async fn on(work: &mut Work<'_>, mut file: File, size: Option<u64>) -> Result<Reading, Error> {
    loop {
        let filled = file.fill().await;
        let splitter = file.splitter();
        let is_whole = match filled {
            Ok(false) => splitter.finish() && size.is_none_or(|size| splitter.at() >= size),
            _ => false,
        };
        // What came before a connection broke counts, too.
        act(work, splitter.take()).await?;
        match filled? {
            true => {}
            false if is_whole => return Ok(Reading::Whole),
            false => return Ok(Reading::Cut),
        }
    }
}

/// Acts on a batch, once: in the transaction that notes that it was read.
async fn act(work: &mut Work<'_>, batch: Batch) -> Result<(), TaskError> {
    let position = i64::try_from(batch.position).unwrap_or(i64::MAX);
    if position <= work.run.position {
        return Ok(());
    }
    let (lines, odd) = (work.run.lines + batch.count, work.run.odd + batch.odd);
    let read = Run { position, lines, odd, ..work.run.clone() };
    let mut tx = work.task.begin().await?;
    if !store::change(&mut tx, work.shop.id, &work.run, &read).await? {
        return Err(TaskError::Lost);
    }
    work.reader.lines(&mut tx, work.shop.id, &read, &batch.lines).await?;
    tx.commit().await?;
    work.run = read;
    Ok(())
}
