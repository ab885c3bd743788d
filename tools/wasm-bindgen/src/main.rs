//! `wasm-bindgen-tool MODULE FOLDER`: writes the module as engines take it, and the JavaScript that calls it, into the
//! folder.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let [module, folder] = std::env::args().skip(1).collect::<Vec<_>>().try_into().unwrap_or_default();
    let mut bindgen = Bindgen::new();
    let made = bindgen.input_path(&module).typescript(false).bundler(true).and_then(|bindgen| bindgen.generate(&folder));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{module}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
