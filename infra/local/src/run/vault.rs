//! The secrets of a laptop, each of which only the functions get whose role allows it in the cloud.
//!
//! Invariant: they are made once, and kept in one file that only its owner can read. A folder of an earlier version has
//! a single secret; the others are split from it, so that everything in its table stays readable, and it is kept, so
//! that the earlier version still starts. A folder from before answers were signed gets the key that signs them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use purser_edge::process::clock::Clock;
use purser_edge::process::keeper::Source;
use purser_store::engine::secrets::{Purpose, Texts, fresh, random, split, with_answer_key, with_new_signing_key};
use serde_json::{Map, Value};

use crate::run::folder::{Folder, FolderError, read_private, write_private};

/// Clones share the secrets.
#[derive(Clone)]
pub struct Vault {
    texts: Arc<Mutex<Texts>>,
    /// The file that keeps them. It is read again whenever the secrets are.
    path: Option<PathBuf>,
}

impl Vault {
    pub fn open(folder: Option<&Folder>, clock: &Clock) -> Result<Self, FolderError> {
        let now = clock.now();
        let Some(folder) = folder else {
            return Ok(Self { texts: Arc::new(Mutex::new(fresh(now)?)), path: None });
        };
        let path = folder.path().join("secrets.json");
        if !path.exists() {
            let texts = match folder.root()? {
                Some(root) => with_new_signing_key(split(root.as_bytes())?)?,
                None => fresh(now)?,
            };
            write_private(&path, &written(&texts))?;
        }
        let there = read(&path)?;
        let texts = with_answer_key(there.clone(), random()?, now)?;
        if texts != there {
            write_private(&path, &written(&texts))?;
        }
        Ok(Self { texts: Arc::new(Mutex::new(texts)), path: Some(path) })
    }

    /// The secrets as they are now.
    pub fn texts(&self) -> Result<Texts, FolderError> {
        match &self.path {
            Some(path) => read(path),
            None => Ok(self.texts.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    /// Replaces one secret, as an operator does in the cloud. Functions notice when they next read their secrets.
    pub fn put(&self, purpose: Purpose, text: String) -> Result<(), FolderError> {
        let mut texts = self.texts()?;
        texts.insert(purpose, text);
        if let Some(path) = &self.path {
            write_private(path, &written(&texts))?;
        }
        *self.texts.lock().unwrap_or_else(PoisonError::into_inner) = texts;
        Ok(())
    }

    /// Reads the secrets that `may` names.
    pub fn source(&self, may: &[Purpose]) -> Source {
        let (vault, may) = (self.clone(), may.to_vec());
        Arc::new(move || {
            let texts = vault.texts().map_err(|error| error.to_string());
            let given = texts.map(|mut texts| {
                // A laptop has no edge, and no service that judges people, until its owner names them in the file.
                for later in Purpose::LATER {
                    texts.entry(later).or_insert_with(|| "{}".to_owned());
                }
                texts.retain(|purpose, _| may.contains(purpose));
                texts
            });
            Box::pin(std::future::ready(given))
        })
    }
}

fn written(texts: &Texts) -> String {
    // Each secret is kept as the text that it is in the cloud.
    let members = texts.iter().map(|(purpose, text)| (purpose.into_str().to_owned(), Value::String(text.clone())));
    Value::Object(members.collect::<Map<_, _>>()).to_string()
}

fn read(path: &Path) -> Result<Texts, FolderError> {
    let broken = || FolderError::SecretsUnreadable(path.to_owned());
    let members: Map<String, Value> = serde_json::from_str(&read_private(path)?).map_err(|_| broken())?;
    let text = |(name, text): (String, Value)| Some((name.parse().ok()?, text.as_str()?.to_owned()));
    members.into_iter().map(|member| text(member).ok_or_else(broken)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn clock() -> Clock {
        Clock::stopped_at(jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn secrets_are_made_once_and_for_their_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(parent.path()).unwrap();
        let made = Vault::open(Some(&folder), &clock()).unwrap().texts().unwrap();
        assert_eq!(made.len(), 8);
        folder.table().unwrap();
        assert_eq!(Vault::open(Some(&folder), &clock()).unwrap().texts().unwrap(), made);
        let file = std::fs::metadata(parent.path().join("secrets.json")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_secret_of_an_earlier_version_is_split_and_stays() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(parent.path()).unwrap();
        let root = "0123456789abcdef0123456789abcdef";
        std::fs::write(parent.path().join("secret"), format!("{root}\n")).unwrap();
        folder.table().unwrap();
        let mut texts = Vault::open(Some(&folder), &clock()).unwrap().texts().unwrap();
        let mut expected = split(root.as_bytes()).unwrap();
        // The next key of checkpoints is new, and so is the one of answers.
        for new in [Purpose::Answers, Purpose::Published] {
            assert!(texts.remove(&new).is_some());
        }
        let [signing, derived] = [&mut texts, &mut expected].map(|it| it.remove(&Purpose::Signing).unwrap());
        assert_eq!(texts, expected);
        assert!(signing.starts_with(derived.trim_end_matches("]}")) && signing.len() > derived.len());
        assert_eq!(std::fs::read_to_string(parent.path().join("secret")).unwrap().trim(), root);
    }

    #[test]
    fn a_folder_from_before_answers_were_signed_gets_a_key_once() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(parent.path()).unwrap();
        let path = parent.path().join("secrets.json");
        let made = Vault::open(Some(&folder), &clock()).unwrap().texts().unwrap();
        let mut before = made.clone();
        before.retain(|purpose, _| ![Purpose::Answers, Purpose::Published].contains(purpose));
        write_private(&path, &written(&before)).unwrap();
        folder.table().unwrap();
        let texts = Vault::open(Some(&folder), &clock()).unwrap().texts().unwrap();
        assert!(before.iter().all(|(purpose, text)| texts.get(purpose) == Some(text)));
        assert!(texts.len() == made.len() && texts != made, "another key");
        assert_eq!(Vault::open(Some(&folder), &clock()).unwrap().texts().unwrap(), texts);
        // Without the key whose public half programs know, nothing starts.
        let mut lost = texts;
        lost.remove(&Purpose::Answers);
        write_private(&path, &written(&lost)).unwrap();
        assert!(Vault::open(Some(&folder), &clock()).is_err());
    }

    #[test]
    fn a_table_is_not_given_other_secrets() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(parent.path()).unwrap();
        Vault::open(Some(&folder), &clock()).unwrap();
        folder.table().unwrap();
        std::fs::remove_file(parent.path().join("secrets.json")).unwrap();
        let error = Vault::open(Some(&folder), &clock()).err().unwrap();
        assert!(matches!(error, FolderError::SecretGone(_)), "{error}");
    }

    #[test]
    fn a_function_gets_what_it_may_have_and_what_it_is_now() {
        let vault = Vault::open(None, &clock()).unwrap();
        let source = vault.source(&[Purpose::Ids]);
        let read = || futures_now(source());
        assert_eq!(read().keys().collect::<Vec<_>>(), [&Purpose::Ids]);
        vault.put(Purpose::Ids, "another".to_owned()).unwrap();
        assert_eq!(read()[&Purpose::Ids], "another");
    }

    /// The result of a reading, which is ready at once.
    fn futures_now(reading: purser_edge::process::keeper::Reading) -> Texts {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(reading).unwrap()
    }
}
