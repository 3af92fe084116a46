//! From a thread that writes to a body that is sent.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

/// Bytes that go out at once.
const CHUNK: usize = 64 * 1024;
/// How long nobody may take anything before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes what is written and hands it on in chunks, as fast as it is taken.
///
/// Unless it was ended, dropping it tells the other side that the rest is missing.
#[derive(Debug)]
pub(super) struct Pipe {
    runtime: Handle,
    sender: Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
    over: bool,
}

impl Pipe {
    pub(super) fn new(runtime: Handle, sender: Sender<io::Result<Bytes>>) -> Self {
        Self { runtime, sender, buffer: Vec::with_capacity(CHUNK), over: false }
    }

    /// Everything was written.
    pub(super) fn end(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.buffer);
        self.send(Ok(rest.into()))?;
        self.over = true;
        Ok(())
    }

    fn send(&mut self, chunk: io::Result<Bytes>) -> io::Result<()> {
        let sent = self.runtime.block_on(tokio::time::timeout(PATIENCE, self.sender.send(chunk)));
        if matches!(sent, Ok(Ok(()))) {
            return Ok(());
        }
        self.over = true;
        Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes it any more"))
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody reads what comes after the end: a writer that closes an archive behind an error may believe that it did.
        if self.over {
            return Ok(bytes.len());
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
            self.send(Ok(full.into()))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if !self.over {
            let _ = self.send(Err(io::Error::other("it could not be finished")));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    async fn sent(end: bool) -> Vec<Result<Bytes, io::ErrorKind>> {
        let (sender, mut receiver) = mpsc::channel(4);
        let runtime = Handle::current();
        let writing = tokio::task::spawn_blocking(move || {
            let mut pipe = Pipe::new(runtime, sender);
            pipe.write_all(&[7; CHUNK]).expect("taken");
            pipe.write_all(b"the rest").expect("taken");
            if end { pipe.end() } else { Ok(()) }
        });
        let mut chunks = Vec::new();
        while let Some(chunk) = receiver.recv().await {
            chunks.push(chunk.map_err(|error| error.kind()));
        }
        writing.await.expect("no panic").expect("ended");
        chunks
    }

    #[tokio::test]
    async fn what_was_not_ended_does_not_look_whole() {
        let whole = sent(true).await;
        assert_eq!((whole.len(), whole[1].as_deref()), (2, Ok(b"the rest".as_slice())));
        assert_eq!(sent(false).await.last(), Some(&Err(io::ErrorKind::Other)));
    }
}
