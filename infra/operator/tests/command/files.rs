//! `checkpoints` and `check`: what an operator keeps outside a deployment, and what can be proved from that alone.

use std::path::{Path, PathBuf};

use purser_tests::prelude::*;
use tempfile::TempDir;

use super::{Said, against, run, saved};

/// A world with one busy wallet and one without new entries, two days of its checkpoints as files, and the public key
/// that an operator notes.
struct Kept {
    world: World,
    busy: Partner,
    folder: TempDir,
    key: String,
}

impl Kept {
    async fn new() -> Self {
        let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
        let busy = world.partner("standard", 1_000).await;
        let _resting = world.partner("standard", 5).await;
        for _ in 0..2 {
            world.top_up(&busy.refid, 10).await;
            let day = json!({"advance": "P1D"});
            let _turned = world.nobody().post("/_local/clock", &day).await.expect(200);
        }
        let key = saved(&world, folder.path()).await;
        Self { world, busy, folder, key }
    }

    fn files(&self) -> Vec<PathBuf> {
        let found = std::fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<PathBuf> = found.map(|it| it.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 2);
        files
    }

    /// Runs `check` on the files with further arguments; it sends nothing to the world.
    async fn check(&self, more: &[&str]) -> Said {
        let folder = self.folder.path().to_str().unwrap();
        let mut arguments = vec!["check", folder, "--public-key", &self.key];
        arguments.extend(more);
        run(None, &arguments).await
    }

    /// Saves the busy wallet's entries in the file `place`, and returns the argument that names both.
    async fn entries(&self, place: &Path) -> String {
        let path = format!("/v1/resellers/{}/entries?limit=100", self.busy.refid);
        let answer = self.world.operator.get(&path).await.expect(200).json;
        std::fs::write(place, answer.to_string()).unwrap();
        format!("{}={}", self.busy.refid, place.display())
    }
}

fn edit(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    change(&mut json);
    std::fs::write(file, json.to_string()).unwrap();
}

#[tokio::test]
async fn what_was_saved_is_in_order_and_is_not_written_again() {
    let kept = Kept::new().await;
    let said = kept.check(&[]).await;
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.out, "2 days, 2 wallets, 0 entries: in order\n");
    let folder = kept.folder.path().to_str().unwrap();
    let again = against(&kept.world, &["checkpoints", "--save", folder]).await;
    assert_eq!(again.status, 0);
    let expected = format!("2 days in {folder}: 0 parts new, 2 known\nsigned by {}\n", kept.key);
    assert_eq!(again.out, expected);
    let other = tempfile::tempdir().unwrap();
    let day = kept.files()[0].file_name().unwrap().to_str().unwrap()[..10].to_owned();
    let one = ["checkpoints", "--date", &day, "--save", other.path().to_str().unwrap()];
    assert_eq!(against(&kept.world, &one).await.status, 0);
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 1);
    let none = ["checkpoints", "--date", "2020-01-01", "--save", folder];
    let said = against(&kept.world, &none).await;
    assert_eq!(said.status, 2);
    assert!(said.err.contains("no checkpoint of 2020-01-01"), "{said:?}");
}

#[tokio::test]
async fn a_changed_head_is_found_here_and_there() {
    let kept = Kept::new().await;
    let file = &kept.files()[0];
    edit(file, |part| {
        part["wallets"][0]["head"] = json!("1".repeat(64));
    });
    let said = kept.check(&[]).await;
    assert_eq!(said.status, 1);
    assert!(said.out.contains("part 1: its signature does not match its content\n"), "{said:?}");
    let folder = kept.folder.path().to_str().unwrap();
    let again = against(&kept.world, &["checkpoints", "--save", folder]).await;
    assert_eq!(again.status, 1);
    assert!(again.out.contains(".000001.json: the deployment now returns a different part\n"), "{again:?}");
}

#[tokio::test]
async fn a_day_that_is_gone_is_found() {
    let kept = Kept::new().await;
    let day = json!({"advance": "P1D"});
    let nobody = kept.world.nobody();
    let _turned = nobody.post("/_local/clock", &day).await.expect(200);
    let days = kept.files();
    saved(&kept.world, kept.folder.path()).await;
    assert_eq!(kept.check(&[]).await.status, 0);
    std::fs::remove_file(&days[1]).unwrap();
    let said = kept.check(&[]).await;
    assert_eq!(said.status, 1);
    assert!(said.out.starts_with("there is no checkpoint between "), "{said:?}");
    assert!(said.out.ends_with(" 0 entries: 1 problem\n"), "{said:?}");
}

#[tokio::test]
async fn a_dropped_part_is_found() {
    let kept = Kept::new().await;
    // Makes the file look like the second part of a day whose first part is missing. (The edit breaks its signature,
    // too.)
    edit(&kept.files()[1], |part| part["part"] = json!(2));
    let said = kept.check(&[]).await;
    assert_eq!(said.status, 1);
    assert!(said.out.contains(" part 1 is missing\n"), "{said:?}");
}

#[tokio::test]
async fn signatures_that_changed_places_are_found() {
    let kept = Kept::new().await;
    let files = kept.files();
    let of = |file: &Path| -> Value {
        let part: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        part["signature"].clone()
    };
    let (one, other) = (of(&files[0]), of(&files[1]));
    edit(&files[0], |part| part["signature"] = other);
    edit(&files[1], |part| part["signature"] = one);
    let said = kept.check(&[]).await;
    assert_eq!(said.status, 1);
    assert_eq!(said.out.matches("its signature does not match").count(), 2, "{said:?}");
}

#[tokio::test]
async fn another_key_is_found_wherever_it_stands() {
    let (kept, other) = (Kept::new().await, Kept::new().await);
    let folder = kept.folder.path().to_str().unwrap();
    let said = run(None, &["check", folder, "--public-key", &other.key]).await;
    assert_eq!(said.status, 1);
    assert_eq!(said.out.matches("another key signed it").count(), 2, "{said:?}");
    let asked = ["checkpoints", "--save", folder, "--public-key", &other.key];
    let said = against(&kept.world, &asked).await;
    assert_eq!(said.status, 1);
    assert_eq!(said.out.matches("another key signed it; it is not saved").count(), 2);
    let said = run(None, &["check", folder, "--public-key", "00"]).await;
    assert_eq!(said.status, 2);
    assert!(said.err.contains("64 hexadecimal digits"), "{said:?}");
}

#[tokio::test]
async fn days_that_do_not_go_on_from_each_other_are_found() {
    // A forgery that only the owner of a deployment could sign: a wallet whose later checkpoint has an earlier
    // sequence.
    let kept = Kept::new().await;
    let world = &kept.world;
    let mut items = world.items();
    items.retain(|item| item["pk"]["S"] == format!("WA#{}", kept.busy.refid));
    let pk = items[0]["pk"]["S"].as_str().unwrap();
    world.tamper(pk, "sequence", &json!({"N": "1"}));
    let day = json!({"advance": "P1D"});
    let _turned = world.nobody().post("/_local/clock", &day).await.expect(200);
    saved(world, kept.folder.path()).await;
    let said = kept.check(&[]).await;
    assert_eq!(said.status, 1);
    let told = format!("{} went back from entry 3 on ", kept.busy.refid);
    assert!(said.out.starts_with(&told), "{said:?}");
}

#[tokio::test]
async fn entries_are_followed_through_the_heads() {
    let (kept, place) = (Kept::new().await, tempfile::tempdir().unwrap());
    let file = place.path().join("entries.json");
    let entries = kept.entries(&file).await;
    let said = kept.check(&["--entries", &entries]).await;
    assert_eq!(said.out, "2 days, 2 wallets, 3 entries: in order\n");
    assert_eq!(said.status, 0);

    for member in ["amount", "balance_after"] {
        edit(&file, |answer| answer["data"][2][member] = json!(999));
        let said = kept.check(&["--entries", &entries]).await;
        let told = "entry 1: the balance after it does not follow from its amount\n";
        assert_eq!(said.status, 1);
        assert!(said.out.contains(told), "{said:?}");
        kept.entries(&file).await;
    }

    edit(&file, |answer| {
        answer["data"][1]["balance_after"] = json!(7);
    });
    let said = kept.check(&["--entries", &entries]).await;
    let told = "entry 2 is not the one in the checkpoint of ";
    assert_eq!(said.status, 1);
    assert!(said.out.contains(told), "{said:?}");

    edit(&file, |answer| {
        drop(answer["data"].as_array_mut().unwrap().remove(1));
    });
    let said = kept.check(&["--entries", &entries]).await;
    assert_eq!(said.status, 1);
    assert!(said.out.contains("entry 3 does not follow the one before it\n"), "{said:?}");
    assert!(said.out.contains("is not among the given entries\n"), "{said:?}");

    // Another wallet's valid history with as many entries, passed off as this wallet's.
    let stranger = Kept::new().await;
    let foreign = stranger.entries(&file).await;
    let foreign = foreign.replace(&stranger.busy.refid, &kept.busy.refid);
    let said = kept.check(&["--entries", &foreign]).await;
    assert_eq!(said.status, 1);
    assert_eq!(said.out.matches(told.split("2 ").nth(1).unwrap()).count(), 2, "{said:?}");
    let unknown = foreign.replace(&kept.busy.refid, "RS-0000000000000000");
    let said = kept.check(&["--entries", &unknown]).await;
    assert!(said.out.contains("is in none of the given checkpoints\n"), "{said:?}");
}

#[tokio::test]
async fn files_that_are_something_else_are_not_known() {
    let kept = Kept::new().await;
    std::fs::write(&kept.files()[0], "{}").unwrap();
    let said = kept.check(&[]).await;
    assert_eq!((said.status, said.out.as_str()), (2, ""));
    assert!(said.err.contains("this is not what GET /v1/checkpoints answers"), "{said:?}");
    let nothing = kept.folder.path().join("nothing.json");
    std::fs::write(&nothing, json!({"data": [], "next_cursor": null}).to_string()).unwrap();
    let check = ["check", nothing.to_str().unwrap(), "--public-key", &kept.key];
    let said = run(None, &check).await;
    assert_eq!((said.status, said.out.as_str()), (2, ""));
    assert!(said.err.contains("there is no checkpoint in"), "{said:?}");
    let empty = tempfile::tempdir().unwrap();
    for place in [empty.path(), Path::new("/no/such/file")] {
        let said = run(None, &["check", place.to_str().unwrap(), "--public-key", &kept.key]).await;
        assert_eq!(said.status, 2, "{said:?}");
    }
}
