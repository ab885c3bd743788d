//! Whatever once broke something, and examples of what is sent, as often as the tests run.

use std::fs;
use std::path::Path;

#[test]
fn nothing_in_the_corpus_breaks_anything() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in fuzz::TARGETS {
        let mut files: Vec<_> =
            fs::read_dir(corpus.join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no examples");
        for file in files {
            println!("{}", file.display());
            target(&fs::read(&file).unwrap());
        }
    }
}
