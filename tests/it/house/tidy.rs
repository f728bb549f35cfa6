//! Rules of style that no linter checks (CONTRIBUTING.md).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const MOST_LINES: usize = 400;
const MOST_COLUMNS: usize = 120;

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files that git tracks, or would track once they are added.
pub(super) fn files() -> Vec<String> {
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
        faults.push(format!("{name}: does not begin with a //! comment that says what it is for"));
    }
    for (number, line) in text.lines().enumerate() {
        let at = format!("{name}:{}", number + 1);
        if (is_code(name) || ends(name, &["yaml", "md"])) && line.chars().count() > MOST_COLUMNS {
            faults.push(format!("{at}: longer than {MOST_COLUMNS} columns"));
        }
        if line.ends_with([' ', '\t']) {
            faults.push(format!("{at}: trailing white space"));
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
    for (name, most) in [("README.md", 130), ("ARCHITECTURE.md", 250)] {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        let lines = text.lines().count();
        assert!(lines <= most, "{name}: {lines} lines, at most {most}");
    }
}

/// The Markdown pages that name files: three at the root, and those in `docs` itself.
fn guides() -> Vec<String> {
    let in_docs = |name: &&String| name.strip_prefix("docs/").is_some_and(|rest| !rest.contains('/'));
    let pages = files();
    let pages = pages.iter().filter(|name| ends(name, &["md"])).filter(in_docs).cloned();
    ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"].map(ToOwned::to_owned).into_iter().chain(pages).collect()
}

/// The paths into the repository that `text` quotes in backticks: they begin with one of our folders and have only
/// characters of paths.
fn paths(text: &str) -> Vec<&str> {
    let of_path = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let ours = ["shared/", "functions/", "infra/", "tests/", "docs/", ".ci/", ".github/"];
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|it| it.chars().all(of_path) && ours.iter().any(|folder| it.starts_with(folder))).collect()
}

/// The files that links in a page of `folder` lead to, without links that leave the repository.
fn links(folder: &Path, text: &str) -> Vec<PathBuf> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter_map(|target| target.split('#').next()).filter(|it| !it.is_empty() && !it.contains(':'));
    local.map(|target| folder.join(target)).collect()
}

#[test]
fn every_path_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    for name in guides() {
        let text = std::fs::read_to_string(root().join(&name)).unwrap();
        // A Rust module is a file or a folder, so a document may name it without `.rs`.
        let there = |path: &str| root().join(path).exists() || root().join(format!("{path}.rs")).exists();
        missing.extend(paths(&text).into_iter().filter(|path| !there(path)).map(|path| format!("{name}: {path}")));
        let folder = root().join(&name).parent().map(Path::to_path_buf).unwrap_or_default();
        let dead = links(&folder, &text).into_iter().filter(|path| !path.exists());
        missing.extend(dead.map(|path| format!("{name}: {}", path.display())));
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert_eq!(
        paths("`docs/x` and `GET /v1/x`, `tests/<noun>` or `functions/api/src`"),
        ["docs/x", "functions/api/src"]
    );
}

#[test]
fn every_forge_does_what_ci_run_does() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let run = read(".ci/run");
    let parts = run.lines().filter_map(|line| line.trim_start().strip_prefix("part "));
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

/// Our crates, each after those that it may depend on.
const CRATES: [(&str, &str); 16] = [
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
];

fn dependencies(folder: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let sections = manifest.split("\n[").filter(|section| section.starts_with("dependencies]"));
    let lines = sections.flat_map(str::lines).filter(|line| line.starts_with("purser"));
    lines.filter_map(|line| line.split(['.', ' ', '=']).next().map(ToOwned::to_owned)).collect()
}

#[test]
fn dependencies_point_one_way() {
    for (place, (crate_, folder)) in CRATES.iter().enumerate() {
        for other in dependencies(folder) {
            let before = CRATES[..place].iter().any(|(name, _)| *name == other);
            assert!(before, "{crate_} must not depend on {other}");
        }
    }
    // The operator's command checks a deployment from outside: it uses the rules and the API, and no other crate of
    // ours.
    let operator = std::fs::read_to_string(root().join("infra/operator/Cargo.toml")).unwrap();
    let own = operator.split("[dev-dependencies]").next().unwrap();
    let own: Vec<&str> = own.lines().filter(|it| it.starts_with("purser")).collect();
    assert_eq!(own, ["purser-domain.workspace = true"]);
}

/// The most entries that a newcomer sees at a glance.
const MOST_ENTRIES: usize = 12;
/// Folders that may hold more: the root, the decisions, and the two lists of nouns.
const LONG_FOLDERS: [&str; 4] = ["", "docs/adr", "functions/api/src", "tests/it"];

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

/// Of each release that the Makefile builds: its package and its binaries.
fn releases() -> Vec<(String, Vec<String>)> {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let functions = makefile.lines().find_map(|line| line.strip_prefix("BINARIES := ")).unwrap();
    let makefile = makefile.replace("$(BINARIES)", functions);
    let built = makefile.lines().filter_map(|line| line.split_once("infra/release/build $(ARCH) "));
    let mut words = built.map(|(_, named)| named.split(' ').map(ToOwned::to_owned));
    std::iter::from_fn(|| words.next().map(|mut words| (words.next().unwrap(), words.collect()))).collect()
}

#[test]
fn the_binaries_of_a_release_are_in_its_package() {
    let releases = releases();
    assert!(releases.iter().any(|(_, binaries)| binaries.contains(&"purser-api".to_owned())), "{releases:?}");
    let manifests: Vec<String> = files()
        .iter()
        .filter(|name| name.ends_with("Cargo.toml"))
        .map(|name| std::fs::read_to_string(root().join(name)).unwrap())
        .collect();
    for (package, binaries) in releases {
        let named = format!("[package]\nname = \"{package}\"\n");
        let manifest = manifests.iter().find(|text| text.starts_with(&named)).unwrap_or_else(|| panic!("no {package}"));
        for binary in binaries {
            assert!(manifest.contains(&format!("[[bin]]\nname = \"{binary}\"\n")), "{package} builds no {binary}");
        }
    }
}
