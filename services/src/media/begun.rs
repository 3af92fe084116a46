//! What there is of pictures in the making, for the worker that goes on with them: one file for each job, beside the
//! pictures, so that all heads see it.

use std::io;
use std::path::PathBuf;

use domain::JobId;
use domain::worker::Lease;
use tokio::fs;
use uuid::Uuid;

use super::{MediaStore, present};
use crate::clock;

/// Pictures' folders have two letters.
const FOLDER: &str = "begun";
/// Most bytes of all jobs together: beyond, running jobs stay where they are.
const MOST_BYTES: u64 = 2 << 30;

impl MediaStore {
    /// Keeps what there is of a job's pictures, in place of what was kept before.
    pub async fn write_begun(&self, lease: Lease, bytes: &[u8]) -> io::Result<()> {
        let path = self.begun_path(lease.job);
        if self.begun_bytes().await? + bytes.len() as u64 > MOST_BYTES {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "too much is kept of pictures in the making"));
        }
        // Words of two leases, or one lease's word twice, may come at the same time.
        let partial = path.with_extension(format!("{:032x}.partial", clock::random_u128()));
        self.write_whole(&path, &partial, bytes).await
    }

    /// What is kept of a job's pictures, or `None`.
    pub async fn open_begun(&self, job: JobId) -> io::Result<Option<fs::File>> {
        present(fs::File::open(self.begun_path(job)).await)
    }

    /// Forgets a job's pictures in the making; where there are none, that is fine.
    pub async fn delete_begun(&self, job: JobId) -> io::Result<()> {
        present(fs::remove_file(self.begun_path(job)).await).map(drop)
    }

    /// The jobs of whose pictures something is kept.
    pub async fn begun(&self) -> io::Result<Vec<JobId>> {
        let mut jobs = Vec::new();
        let Some(mut entries) = present(fs::read_dir(self.root.join(FOLDER)).await)? else { return Ok(jobs) };
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // A part that a crash left behind goes with its job.
            let id = name.split('.').next().and_then(|name| Uuid::try_parse(name).ok());
            jobs.extend(id.map(JobId));
        }
        jobs.sort_unstable();
        jobs.dedup();
        Ok(jobs)
    }

    /// As [`MediaStore::delete_begun`], and what a crash left behind of it.
    pub async fn sweep_begun(&self, job: JobId) -> io::Result<()> {
        self.delete_begun(job).await?;
        let prefix = job.0.simple().to_string();
        let Some(mut entries) = present(fs::read_dir(self.root.join(FOLDER)).await)? else { return Ok(()) };
        while let Some(entry) = entries.next_entry().await? {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                present(fs::remove_file(entry.path()).await)?;
            }
        }
        Ok(())
    }

    async fn begun_bytes(&self) -> io::Result<u64> {
        let Some(mut entries) = present(fs::read_dir(self.root.join(FOLDER)).await)? else { return Ok(0) };
        let mut bytes = 0;
        while let Some(entry) = entries.next_entry().await? {
            bytes += present(entry.metadata().await)?.map_or(0, |file| file.len());
        }
        Ok(bytes)
    }

    fn begun_path(&self, job: JobId) -> PathBuf {
        self.root.join(FOLDER).join(format!("{}.begun", job.0.simple()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_is_begun_is_kept_until_it_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let media = MediaStore::open(folder.path().join("media")).await.expect("open");
        let read = async |job| match media.open_begun(job).await.expect("open") {
            Some(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).await.expect("read");
                Some(bytes)
            }
            None => None,
        };
        let lease = |job, epoch| Lease { job: JobId::from_random(job), epoch };
        assert_eq!(media.begun().await.expect("a list"), []);
        media.write_begun(lease(1, 1), b"early").await.expect("write");
        media.write_begun(lease(1, 2), b"late").await.expect("write");
        media.write_begun(lease(2, 1), b"other").await.expect("write");
        let leftover = folder.path().join("media/begun").join(format!("{}.3.partial", lease(1, 3).job.0.simple()));
        std::fs::write(&leftover, b"half").expect("write");
        assert_eq!(media.begun().await.expect("a list"), [lease(1, 1).job, lease(2, 1).job]);
        assert_eq!(read(lease(1, 1).job).await.as_deref(), Some(b"late".as_slice()));
        media.sweep_begun(lease(1, 1).job).await.expect("swept");
        assert!(!leftover.exists());
        media.delete_begun(lease(2, 1).job).await.expect("deleted");
        media.delete_begun(lease(2, 1).job).await.expect("deleted again");
        assert_eq!(read(lease(2, 1).job).await, None);
        assert_eq!(media.begun().await.expect("a list"), []);
    }
}
