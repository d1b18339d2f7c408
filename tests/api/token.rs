use std::fs;
use std::os::unix::fs::PermissionsExt;

use hotline::console::{ApiToken, TOKEN_FILE_NAME, TokenError};

use crate::service::temporary_folder;

#[test]
fn the_token_is_made_once_and_only_its_owner_can_read_it() {
    let folder = temporary_folder();
    ApiToken::load_or_create(&folder, [1; 32]).expect("a new token");
    let path = folder.join(TOKEN_FILE_NAME);
    let text = fs::read_to_string(&path).expect("the file");
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o7777, 0o600);
    assert_eq!(text.trim_end().len(), 43, "256 bits in base64");

    let again = ApiToken::load_or_create(&folder, [2; 32]).expect("the same token");
    assert!(again.matches(text.trim_end()));
    assert!(!again.matches(&text[1..]));
    assert!(!again.matches(""));
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1, "no draft is left behind");
    fs::remove_dir_all(folder).expect("it goes");
}

#[test]
fn a_token_that_others_can_read_is_refused() {
    let folder = temporary_folder();
    ApiToken::load_or_create(&folder, [1; 32]).expect("a new token");
    let path = folder.join(TOKEN_FILE_NAME);
    for mode in [0o644, 0o604, 0o640, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        let error = ApiToken::load_or_create(&folder, [1; 32]).expect_err("it is exposed");
        assert!(matches!(error, TokenError::Exposed { mode: seen, .. } if seen == mode));
        assert!(error.to_string().contains(&format!("mode {mode:04o}")), "{error}");
        assert!(!error.to_string().contains(fs::read_to_string(&path).expect("the file").trim_end()));
    }
    fs::remove_dir_all(folder).expect("it goes");
}

#[test]
fn a_file_that_holds_no_token_is_refused() {
    let folder = temporary_folder();
    let path = folder.join(TOKEN_FILE_NAME);
    for text in ["", "short\n", &"a".repeat(5000), "two lines of which neither is\na token of its own\n", "\u{7ea2}"] {
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        let error = ApiToken::load_or_create(&folder, [1; 32]).expect_err("it is no token");
        assert!(matches!(error, TokenError::Malformed { .. }), "{text:?}: {error}");
    }
    fs::write(&path, "an-operator-may-choose-a-token-of-his-own\r\n").expect("a file");
    let own = ApiToken::load_or_create(&folder, [1; 32]).expect("the operator's token");
    assert!(own.matches("an-operator-may-choose-a-token-of-his-own"));
    fs::remove_dir_all(folder).expect("it goes");
}

#[test]
fn a_missing_folder_is_an_error_that_names_the_file() {
    let folder = temporary_folder();
    let error = ApiToken::load_or_create(&folder.join("missing"), [1; 32]).expect_err("there is no folder");
    assert!(error.to_string().contains("missing/api-token"), "{error}");
    fs::remove_dir_all(folder).expect("it goes");
}

#[test]
fn starting_twice_at_once_ends_with_one_token() {
    let folder = temporary_folder();
    let made: Vec<bool> = std::thread::scope(|scope| {
        let start = |seed: u8| {
            let folder = &folder;
            scope.spawn(move || ApiToken::load_or_create(folder, [seed; 32]).expect("a token"))
        };
        let started: Vec<_> = (0..8).map(start).collect();
        let tokens: Vec<_> = started.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        let text = fs::read_to_string(folder.join(TOKEN_FILE_NAME)).expect("the file");
        tokens.iter().map(|token| token.matches(text.trim_end())).collect()
    });
    assert_eq!(made, [true; 8]);
    fs::remove_dir_all(folder).expect("it goes");
}
