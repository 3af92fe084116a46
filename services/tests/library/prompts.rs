//! Prompts that are kept.

use services::library::LibrarySearch;
use sqlx::PgPool;

use crate::desk::{Desk, holder, nobody};

const LIST: &[u8] = b"prompt,negative_prompt,tags,seed,steps,cfg_scale\n\
    a Red boat,,\"sea, oil\",18446744073709551615,20,7.5\n\
    a blue boat,fog,sea,,,\n\
    100%_a\\,,,,,\n\
    a blue boat,fog,sea,,,\n";

fn words(words: &str) -> LibrarySearch {
    LibrarySearch { words: words.into(), ..LibrarySearch::default() }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_list_is_kept_once_and_found_again(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let brought = desk.import(&nobody(), LIST, Some("list.csv")).await.expect("taken");
    assert_eq!((brought.report.prompts.kept, brought.report.prompts.skipped), (3, 0), "{:?}", brought.report);
    assert!(brought.report.notes.iter().any(|note| note.contains("same prompt")), "{:?}", brought.report);
    let me = holder(&brought.cookie.expect("somebody new gets a cookie"));
    let owner = desk.identity.device(&me).await.expect("found").expect("somebody");
    desk.wait(1);
    let again = desk.import(&me, LIST, Some("list.csv")).await.expect("taken");
    assert_eq!((again.report.prompts.kept, again.report.prompts.skipped, again.cookie), (0, 3, None));

    let found = async |search: LibrarySearch, limit| {
        let page = desk.library.search(owner, &search, limit).await.expect("found");
        (page.entries.into_iter().map(|kept| kept.entry.prompt).collect::<Vec<_>>(), page.more)
    };
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(found(words(""), 9).await, (texts(&["a Red boat", "a blue boat", "100%_a\\"]), false));
    assert_eq!(found(words("BOAT red"), 9).await, (texts(&["a Red boat"]), false));
    assert_eq!(found(words("%_a\\"), 9).await, (texts(&["100%_a\\"]), false));
    assert_eq!(found(words("%boat"), 9).await, (texts(&[]), false));
    assert_eq!(found(LibrarySearch { tag: Some("oil".into()), ..words("") }, 9).await, (texts(&["a Red boat"]), false));
    assert_eq!(found(words("boat"), 1).await, (texts(&["a Red boat"]), true));
    let page = desk.library.search(owner, &words("boat"), 1).await.expect("found");
    assert_eq!((page.count, page.tags), (3, texts(&["sea", "oil"])));
    let red = &page.entries[0];
    assert_eq!((red.entry.seed, red.entry.steps, red.entry.guidance), (Some(u64::MAX), Some(20), Some(7.5)));
    let older = LibrarySearch { before: Some(red.id), ..words("boat") };
    assert_eq!(found(older, 1).await, (texts(&["a blue boat"]), false));

    let changed = desk.library.change(owner, red.id, vec!["#ink, ink".into()], " fine\u{0} ".into(), true).await;
    let changed = changed.expect("mine").entry;
    assert_eq!((changed.tags, changed.notes, changed.pinned), (texts(&["ink"]), "fine".to_owned(), true));
    assert_eq!(found(LibrarySearch { pinned: true, ..words("fine") }, 9).await, (texts(&["a Red boat"]), false));

    let (_, stranger) = desk.somebody().await;
    let theirs = desk.library.change(stranger, red.id, Vec::new(), String::new(), false).await;
    assert_eq!(theirs.expect_err("not theirs").code(), "not_found");
    desk.library.delete(stranger, red.id).await.expect("nothing happens");
    assert_eq!(desk.library.search(stranger, &words(""), 9).await.expect("found").entries, []);
    desk.library.delete(owner, red.id).await.expect("gone");
    desk.library.delete(owner, red.id).await.expect("gone already");
    assert_eq!(found(words(""), 9).await, (texts(&["a blue boat", "100%_a\\"]), false));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_jobs_words_are_kept_with_their_settings(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (me, owner) = desk.somebody().await;
    let job = desk.made(owner, "a sea", 1, None).await;
    assert!(desk.library.keep_job(&me, job).await.expect("mine"));
    assert!(!desk.library.keep_job(&me, job).await.expect("mine, and kept before"));
    let entry = desk.library.all(owner).await.expect("all").remove(0).entry;
    assert_eq!((entry.prompt.as_str(), entry.negative.as_str(), entry.tool.as_str()), ("a sea", "fog", "Mindseye"));
    assert_eq!((entry.seed, entry.guidance, entry.width), (Some(9_007_199_254_740_990), Some(3.1), Some(64)));
    let (stranger, _) = desk.somebody().await;
    for visitor in [&stranger, &nobody()] {
        assert_eq!(desk.library.keep_job(visitor, job).await.expect_err("not theirs").code(), "not_found");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_library_has_an_end(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (me, owner) = desk.somebody().await;
    let list = |from: usize| (from..from + 3_000).map(|n| format!("boat number {n}\n")).collect::<String>();
    let first = desk.import(&me, list(0).as_bytes(), Some("a.txt")).await.expect("taken").report;
    assert_eq!((first.prompts.kept, first.prompts.skipped), (3_000, 0));
    let second = desk.import(&me, list(3_000).as_bytes(), Some("a.txt")).await.expect("taken").report;
    assert_eq!((second.prompts.kept, second.prompts.skipped), (2_000, 1_000));
    assert!(second.notes.iter().any(|note| note.contains("full")), "{:?}", second.notes);
    let job = desk.made(owner, "a sea", 1, None).await;
    assert_eq!(desk.library.keep_job(&me, job).await.expect_err("full").code(), "import_refused");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_has_no_prompts_is_refused_by_name_and_nobody_is_written_down(pool: PgPool) {
    let desk = Desk::open(pool).await;
    for bytes in [&b""[..], b"  \n", b"%PDF-1.7 ...", b"\x7fELF\x02\x01\x01\0\0\0"] {
        let error = desk.import(&nobody(), bytes, None).await.expect_err("refused");
        assert_eq!(error.code(), "import_refused", "{error}");
    }
    let mut arrival = desk.archive.expect(&nobody()).await.expect("room");
    let mut pushed = Ok(());
    for _ in 0..200 {
        pushed = arrival.push(&[b'a'; 100_000]).await;
        if pushed.is_err() {
            break;
        }
    }
    assert_eq!(pushed.expect_err("no list is that long").code(), "too_large");
    assert_eq!((desk.rows("devices").await, desk.rows("library_entries").await), (0, 0));
}
