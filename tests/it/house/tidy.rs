//! The rules of style that no linter knows (CONTRIBUTING.md).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const MOST_LINES: usize = 400;
const MOST_COLUMNS: usize = 120;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files that git tracks or would track.
pub fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().filter(|name| root().join(name).is_file()).map(ToOwned::to_owned).collect()
}

fn is_code(name: &str) -> bool {
    ends(name, &["rs", "html", "sh", "css", "js", "py"]) || name == "Makefile"
}

fn ends(name: &str, endings: &[&str]) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

fn faults(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if is_code(name) && text.lines().count() > MOST_LINES {
        faults.push(format!("{name}: more than {MOST_LINES} lines"));
    }
    if ends(name, &["rs"]) && !text.starts_with("//!") {
        faults.push(format!("{name}: no //! says what it is for"));
    }
    for (number, line) in text.lines().enumerate() {
        let at = format!("{name}:{}", number + 1);
        if (is_code(name) || ends(name, &["yaml", "md"])) && line.chars().count() > MOST_COLUMNS {
            faults.push(format!("{at}: longer than {MOST_COLUMNS} columns"));
        }
        if line.ends_with([' ', '\t']) {
            faults.push(format!("{at}: white space at the end"));
        }
        if ends(name, &["rs"]) && !name.ends_with("tidy.rs") {
            for word in ["todo!(", "unimplemented!(", "#[ignore", "dbg!(", "FIXME"] {
                if line.contains(word) {
                    faults.push(format!("{at}: {word}"));
                }
            }
            for word in ["Manager", "Helper", "Util", "MyService"] {
                let named = ["struct ", "enum ", "trait ", "mod "].iter().any(|kind| line.contains(kind));
                if named && line.contains(word) {
                    faults.push(format!("{at}: a name with {word}"));
                }
            }
        }
    }
    faults
}

#[test]
fn the_tree_is_tidy() {
    let mut found = Vec::new();
    for name in files().iter().filter(|name| !name.ends_with("Cargo.lock")) {
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            found.extend(faults(name, &text));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn what_is_untidy_is_found() {
    let long = format!("//! x\n{}\n", "x".repeat(121));
    for (name, text) in [
        ("a.rs", long.as_str()),
        ("a.rs", "fn x() {}\n"),
        ("a.rs", "//! x\nfn x() { todo!() }\n"),
        ("a.rs", "//! x\nstruct KeyManager;\n"),
        ("a.rs", &format!("//! x\n{}", "\n".repeat(400))),
        ("a.md", "x \n"),
    ] {
        assert_eq!(faults(name, text).len(), 1, "{name} {text:.40}");
    }
}

#[test]
fn the_architecture_is_short() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() < 150);
}

#[test]
fn every_forge_does_what_ci_run_does() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let run = read(".ci/run");
    let parts = run.lines().filter_map(|line| line.strip_prefix("part "));
    let targets = parts.filter_map(|part| part.split(" make ").nth(1)?.split(' ').next());
    let mut targets: Vec<&str> = targets.collect();
    targets.sort_unstable();
    assert!(targets.contains(&"test"), "{targets:?}");
    for (name, list) in [(".github/workflows/ci.yml", "target: ["), (".gitlab-ci.yml", "TARGET: [")] {
        let text = read(name);
        let listed = text.split(list).nth(1).and_then(|rest| rest.split(']').next());
        let mut listed: Vec<&str> = listed.unwrap().split(", ").collect();
        listed.sort_unstable();
        assert_eq!(listed, targets, "{name}");
    }
}

/// The crates from the bottom up: each may depend on those before it.
const ORDER: [(&str, &str); 18] = [
    ("purser-domain", "shared/domain"),
    ("purser-store", "shared/store"),
    ("purser-edge", "shared/edge"),
    ("purser-charts", "shared/charts"),
    ("purser-mails", "shared/mails"),
    ("purser-api", "functions/api"),
    ("purser-portal", "functions/portal"),
    ("purser-lambda", "functions/lambda"),
    ("purser-local", "infra/local"),
    ("purser-demo", "infra/demo"),
    ("purser", "infra/purser"),
    ("purser-tests", "tests/support"),
    ("purser-simulator", "tests/simulator"),
    ("purser-crash", "tests/crash"),
    ("purser-bench", "tests/bench"),
    ("purser-it", "tests/it"),
    ("purser-operator", "infra/operator"),
    ("purser-bare", "tests/bare"),
];

#[test]
fn dependencies_point_one_way() {
    let manifest = |folder: &str| std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    for (place, (crate_, folder)) in ORDER.iter().enumerate() {
        let text = manifest(folder);
        assert!(text.contains(&format!("name = \"{crate_}\"")), "{folder} is {crate_}");
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("[dev-dependencies]").next().unwrap_or_default();
        for (other, _) in &ORDER[place..] {
            let uses = dependencies.lines().any(|line| line.starts_with(&format!("{other}.workspace")));
            assert!(!uses, "{crate_} depends on {other}");
        }
    }
    let listed = manifest(".");
    for (_, folder) in ORDER {
        assert!(listed.contains(&format!("\"{folder}\"")), "{folder} is a member");
    }
    // What an operator runs knows the rules and the API, and nothing of what stands behind that.
    let operator = manifest("infra/operator");
    let own = operator.split("[dev-dependencies]").next().unwrap();
    let own: Vec<&str> = own.lines().filter(|it| it.starts_with("purser")).collect();
    assert_eq!(own, ["purser-domain.workspace = true"]);
}

/// The most entries of a folder, so that somebody new takes it in at a glance.
const MOST_ENTRIES: usize = 12;
/// Lists of rooms, the root, decisions, and what is generated.
const LONG_FOLDERS: [&str; 4] = ["", "docs/adr", "functions/api/src", "tests/it"];

/// The folders with more entries than that, of all the folders of `files`.
fn crowded(files: &[String]) -> Vec<String> {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        for (at, _) in file.match_indices('/').chain([(file.len(), "")]) {
            let (folder, entry) = file[..at].rsplit_once('/').unwrap_or(("", &file[..at]));
            folders.entry(folder).or_default().insert(entry);
        }
    }
    let crowded = folders.iter().filter(|(folder, entries)| {
        let long = LONG_FOLDERS.contains(folder) || folder.ends_with("/snapshots");
        entries.len() > MOST_ENTRIES && !long
    });
    crowded.map(|(folder, entries)| format!("{folder}: {} entries", entries.len())).collect()
}

#[test]
fn no_folder_is_crowded() {
    assert_eq!(crowded(&files()), [""; 0]);
    let many: Vec<String> = (0..13).map(|n| format!("a/b/{n}.rs")).collect();
    assert_eq!(crowded(&many), ["a/b: 13 entries"]);
    assert_eq!(crowded(&many[..12]), [""; 0]);
}

#[test]
fn the_toolchain_is_the_one_that_the_manifest_asks_for() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        line.trim_matches([' ', '=', '"']).to_owned()
    };
    let pinned = value(&read("rust-toolchain.toml"), "channel");
    assert!(pinned.starts_with(&value(&read("Cargo.toml"), "rust-version")), "{pinned}");
}
