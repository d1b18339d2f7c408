use std::path::PathBuf;

use super::*;
use crate::prompt::sound::Level;

const PACK: &str = "[menu.head.zh]\ntext = \"请选择您需要的服务。\"\n[menu.head.bo]\ntext = \"འདེམས\"\nconfidence = \"B\"\n\
                    [digit.1.zh]\ntext = \"幺\"\n[digit.2.zh]\ntext = \"二\"\nvoice = \"zf_1\"\n";

/// A folder of its own for a test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hotline-import-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("studio")).expect("a folder");
        Folder(path)
    }

    /// A tone of a second in the studio's folder, 48 kHz, two channels.
    fn studio(&self, name: &str, height: f64) {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 48_000,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(self.0.join("studio").join(name), spec).expect("a writer");
        for at in 0..48_000 {
            let sample = (height * (f64::from(at) / 10.0).sin() * 8_388_607.0) as i32;
            writer.write_sample(sample).and_then(|()| writer.write_sample(sample)).expect("a sample");
        }
        writer.finalize().expect("a whole file");
    }

    fn prepare(&self, sheet: &Sheet, review: Option<&Review>) -> (Import, Vec<String>) {
        let mut told = Vec::new();
        let tell = |name: &str, result: &Result<Taken, String>| {
            told.push(match result {
                Ok(taken) => format!("{name}: {}: {}", taken.id, taken.text),
                Err(what) => format!("{name}: {what}"),
            });
        };
        let (from, into) = (self.0.join("studio"), self.0.join("out"));
        (Import::prepare(sheet, &from, &into, review, tell).expect("a folder with files"), told)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).expect("a text")
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(folder)).expect("a folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort_unstable();
        names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sheet(language: Language) -> Sheet {
    Sheet::new(&[&Manifest::parse(PACK, "m.toml").expect("a manifest")], language)
}

#[test]
fn recordings_become_prompts_with_their_text_and_their_hash() {
    let folder = Folder::new("become");
    let sheet = sheet(Language::Zh);
    folder.studio("001_menu.head.wav", 0.2);
    folder.studio("digit.1.WAV", 0.02);
    let review = Review { reviewer: "洛桑".to_owned(), reviewed: "2026-11-25".to_owned() };
    let (import, told) = folder.prepare(&sheet, Some(&review));
    assert_eq!(told, ["001_menu.head.wav: menu.head: 请选择您需要的服务。", "digit.1.WAV: digit.1: 幺"]);
    assert_eq!((import.taken(), import.refused, import.missing(&sheet)), (2, 0, 1));
    import.write(&folder.0.join("out")).expect("a writable folder");
    assert_eq!(folder.files("out/zh"), ["digit.1.wav", "menu.head.wav"]);
    let file = fs::read(folder.0.join("out/zh/menu.head.wav")).expect("a file");
    let sound = Sound::read(&file).expect("a prompt");
    assert_eq!((sound.comment.as_deref(), sound.maker.as_deref()), (Some("请选择您需要的服务。"), Some(MAKER)));
    assert!((Level::of(&sound.samples).active_dbov + 21.0).abs() < 0.5);
    let manifest = Manifest::parse(&folder.read("out/manifest.toml"), "m.toml").expect("a manifest");
    let line = manifest.prompts["menu.head"][&Language::Zh].as_ref().expect("a line");
    assert_eq!(
        (line.origin, line.review.as_ref(), line.sha256.as_ref()),
        (Origin::Recorded, Some(&review), Some(&hash(&file)))
    );
}

#[test]
fn nothing_is_written_of_a_file_that_is_refused() {
    let folder = Folder::new("refused");
    let sheet = sheet(Language::Zh);
    for (name, height) in [("001.wav", 0.2), ("menu.head.wav", 0.2), ("002.wav", 0.0), ("009.wav", 0.2), ("3.wav", 0.2)]
    {
        folder.studio(name, height);
    }
    fs::write(folder.0.join("studio/notes.txt"), "take two is better").expect("a file");
    fs::write(folder.0.join("studio/digit.2.wav"), "no sound").expect("a file");
    let (import, told) = folder.prepare(&sheet, None);
    assert_eq!(
        told,
        [
            "001.wav: menu.head.wav is menu.head too: leave one of them",
            "002.wav: silent: it peaks at -inf dBFS",
            "009.wav: no prompt in zh has the number 009: they go from 001 to 003",
            "3.wav: digit.2.wav is digit.2 too: leave one of them",
            "digit.2.wav: 3.wav is digit.2 too: leave one of them",
            "menu.head.wav: 001.wav is menu.head too: leave one of them",
        ]
    );
    assert_eq!((import.taken(), import.refused, import.left_alone.as_slice()), (0, 6, &["notes.txt".to_owned()][..]));
    import.write(&folder.0.join("out")).expect("nothing to do");
    assert!(!folder.0.join("out").exists());
}

#[test]
fn a_folder_keeps_what_it_has() {
    let folder = Folder::new("keeps");
    let before = "# ours\n[digit.2.zh]\ntext = \"二\" # two\nvoice = \"zf_1\"\n\n[a.b.zh]\ntext = \"好\"\n";
    fs::create_dir_all(folder.0.join("out/zh")).expect("a folder");
    fs::write(folder.0.join("out/manifest.toml"), before).expect("a file");
    fs::write(folder.0.join("out/zh/a.b.wav"), "theirs").expect("a file");
    folder.studio("digit.2.wav", 0.5);
    folder.prepare(&sheet(Language::Zh), None).0.write(&folder.0.join("out")).expect("a writable folder");
    assert_eq!(folder.read("out/zh/a.b.wav"), "theirs");
    let hash = hash(&fs::read(folder.0.join("out/zh/digit.2.wav")).expect("a file"));
    let after = format!(
        "# ours\n[digit.2.zh]\ntext = \"二\" # two\norigin = \"recorded\"\nsha256 = \"{hash}\"\n\n[a.b.zh]\ntext = \"好\"\n"
    );
    assert_eq!(folder.read("out/manifest.toml"), after);
    assert_eq!(folder.files("out"), ["manifest.toml", "zh"], "no half-written file is left");
}

#[test]
fn a_manifest_that_can_not_take_it_leaves_the_sounds_alone() {
    let folder = Folder::new("broken");
    let out = folder.0.join("out");
    fs::create_dir_all(&out).expect("a folder");
    fs::write(out.join("manifest.toml"), "[menu\n").expect("a file");
    folder.studio("001.wav", 0.5);
    let problem = folder.prepare(&sheet(Language::Zh), None).0.write(&out).expect_err("a broken manifest");
    assert!(problem.file.ends_with("manifest.toml"), "{problem}");
    assert_eq!(folder.files("out"), ["manifest.toml"]);
}

#[test]
fn a_sound_that_can_not_be_written_leaves_all_as_it_was() {
    let folder = Folder::new("whole");
    let out = folder.0.join("out");
    folder.studio("digit.1.wav", 0.5);
    folder.studio("digit.2.wav", 0.5);
    fs::create_dir_all(out.join("zh")).expect("a folder");
    fs::write(out.join("zh/digit.1.wav"), "theirs").expect("a file");
    // no file is written over a folder
    fs::create_dir(out.join(format!("zh/.digit.2.wav.{}.part", std::process::id()))).expect("a folder");
    let problem = folder.prepare(&sheet(Language::Zh), None).0.write(&out).expect_err("a folder in its way");
    assert!(problem.file.ends_with("zh/digit.2.wav"), "{problem}");
    assert_eq!((folder.read("out/zh/digit.1.wav").as_str(), folder.files("out")), ("theirs", vec!["zh".to_owned()]));
    assert_eq!(folder.files("out/zh").len(), 2, "nothing is left beside the two that were there");
}

/// What is told of `menu.head`, recorded by a folder whose sound says `said` of the line `text`; and its review.
fn recorded_again(name: &str, said: &str, review: Option<&Review>) -> (String, Option<Review>) {
    let folder = Folder::new(name);
    let out = folder.0.join("out");
    let signed = "reviewer = \"洛桑\"\nreviewed = \"2026-11-01\"\norigin = \"recorded\"\n";
    let over = format!("[menu.head.zh]\ntext = \"请选择。\"\n{signed}");
    fs::create_dir_all(out.join("zh")).expect("a folder");
    fs::write(out.join("manifest.toml"), &over).expect("a file");
    fs::write(out.join("zh/menu.head.wav"), wav::write(&[1; 800], Some(said), MAKER)).expect("a file");
    folder.studio("menu.head.wav", 0.5);
    let manifests = [PACK, &over].map(|text| Manifest::parse(text, "m.toml").expect("a manifest"));
    let sheet = Sheet::new(&manifests.iter().collect::<Vec<_>>(), Language::Zh);
    let mut told = String::new();
    let tell = |_: &str, taken: &Result<Taken, String>| told = taken.as_ref().expect("a prompt").to_string();
    let import = Import::prepare(&sheet, &folder.0.join("studio"), &out, review, tell).expect("a folder with files");
    import.write(&out).expect("a writable folder");
    let manifest = Manifest::parse(&folder.read("out/manifest.toml"), "m.toml").expect("a manifest");
    (told, manifest.prompts["menu.head"][&Language::Zh].as_ref().expect("a line").review.clone())
}

#[test]
fn a_signature_is_lost_with_the_text_that_was_signed() {
    let review = |reviewer: &str, reviewed: &str| Review { reviewer: reviewer.into(), reviewed: reviewed.into() };
    let (before, again) = (review("洛桑", "2026-11-01"), review("卓玛", "2026-11-25"));
    let (told, kept) = recorded_again("same", "请选择。", None);
    assert_eq!(kept.as_ref(), Some(&before));
    assert!(told.ends_with("; replaces a recording: 请选择。"), "{told}");
    let (told, kept) = recorded_again("other", "请选择您需要的服务。", None);
    assert_eq!(kept, None);
    let lost = "; the text is another one than 洛桑 signed on 2026-11-01: it is unsigned now: 请选择。";
    assert!(told.ends_with(lost), "{told}");
    let (told, kept) = recorded_again("signed", "请选择您需要的服务。", Some(&again));
    assert_eq!(kept, Some(again));
    assert!(!told.contains("unsigned"), "{told}");
}

#[test]
fn a_folder_without_recordings_is_named() {
    let folder = Folder::new("empty");
    let prepare =
        |path: &Path| Import::prepare(&sheet(Language::Bo), path, path, None, |_, _| {}).expect_err("no files");
    let empty = folder.0.join("studio");
    assert_eq!(prepare(&empty).to_string(), format!("{}: no .wav file in it", empty.display()));
    assert!(prepare(Path::new("/no/such")).to_string().starts_with("/no/such: No such file"));
}
