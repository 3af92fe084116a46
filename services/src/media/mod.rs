//! Picture files: written once under a random id, never changed.
//!
//! A file is complete or absent: it is written beside its place, flushed, and
//! renamed. No name from a client ever reaches the file system; only ids do.

mod begun;
pub(crate) mod picture;

use std::io;
use std::path::{Path, PathBuf};

use domain::OutputId;
use tokio::fs;
use tokio::io::AsyncWriteExt;

/// A directory of pictures.
#[derive(Clone, Debug)]
pub struct MediaStore {
    root: PathBuf,
}

impl MediaStore {
    /// Opens (and makes) the directory.
    pub async fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&root).await?;
        Ok(Self { root })
    }

    /// Stores the bytes of a picture.
    pub async fn write(&self, id: OutputId, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(id);
        let partial = path.with_extension("partial");
        self.write_whole(&path, &partial, bytes).await
    }

    /// The bytes of a picture, or `None` if there is none.
    pub async fn read(&self, id: OutputId) -> io::Result<Option<Vec<u8>>> {
        present(fs::read(self.path(id)).await)
    }

    /// A picture, to be read little by little, or `None` if there is none.
    pub async fn open_picture(&self, id: OutputId) -> io::Result<Option<fs::File>> {
        present(fs::File::open(self.path(id)).await)
    }

    /// Whether there is such a picture.
    pub async fn has(&self, id: OutputId) -> io::Result<bool> {
        fs::try_exists(self.path(id)).await
    }

    /// Deletes a picture; one that is already gone is fine.
    pub async fn delete(&self, id: OutputId) -> io::Result<()> {
        present(fs::remove_file(self.path(id)).await).map(drop)
    }

    /// A file without a name, for what is on its way in or out: it goes with whoever has it open. Takes a thread.
    pub(crate) fn passing_file(&self) -> io::Result<std::fs::File> {
        let folder = self.root.join("passing");
        std::fs::create_dir_all(&folder)?;
        tempfile::tempfile_in(folder)
    }

    async fn write_whole(&self, path: &Path, partial: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(&self.root)).await?;
        let written = async {
            let mut file = fs::File::create(partial).await?;
            file.write_all(bytes).await?;
            file.sync_all().await?;
            fs::rename(partial, path).await
        };
        if let Err(error) = written.await {
            // A full disk must not be made fuller by what could not be finished.
            let _ = fs::remove_file(partial).await;
            return Err(error);
        }
        Ok(())
    }

    fn path(&self, id: OutputId) -> PathBuf {
        let name = id.0.simple().to_string();
        Path::new(&self.root).join(&name[..2]).join(format!("{name}.png"))
    }
}

/// `None` where there is no such file.
fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_until_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let media = MediaStore::open(folder.path().join("media")).await.expect("open");
        let id = OutputId::from_random(1);
        assert_eq!(media.read(id).await.expect("read"), None);
        media.write(id, b"picture").await.expect("write");
        assert_eq!(media.read(id).await.expect("read").as_deref(), Some(b"picture".as_slice()));
        assert!(media.has(id).await.expect("a look") && media.open_picture(id).await.expect("open").is_some());
        media.delete(id).await.expect("delete");
        media.delete(id).await.expect("delete again");
        assert_eq!(media.read(id).await.expect("read"), None);
        assert!(!media.has(id).await.expect("a look") && media.open_picture(id).await.expect("open").is_none());
    }
}
