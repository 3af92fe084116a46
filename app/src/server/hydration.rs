use leptos::hydration::HydrationScripts;
use leptos::prelude::*;

/// The script that loads the rest, once something can be seen: on a slow network, half a megabyte of WebAssembly would
/// stand between the styles and the first paint. Pages work before it comes.
///
/// Leptos would have it loaded first; the names of the files are taken from what it says, and nothing else.
pub fn late_scripts(options: &LeptosOptions) -> String {
    let options = options.clone();
    let said = view! { <HydrationScripts options /> }.to_html();
    late(&said).unwrap_or_else(|| {
        leptos::logging::error!("the names of the scripts are not where they used to be: pages stay without them");
        String::new()
    })
}

fn late(said: &str) -> Option<String> {
    let named = |ending: &str| {
        let addresses = said.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        addresses.map(|(address, _)| address).find(|address| address.ends_with(ending)).map(str::to_owned)
    };
    let (script, wasm) = (named(".js")?, named(".wasm")?);
    Some(format!(
        "const seen=document.hidden?Promise.resolve():new Promise(go=>requestAnimationFrame(()=>setTimeout(go)));\
         seen.then(()=>import({script:?})).then(page=>page.default({{module_or_path:{wasm:?}}}).then(()=>page.hydrate()));"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_leptos_names_are_loaded_later() {
        let options = LeptosOptions::builder().output_name("page").site_pkg_dir("pkg").build();
        let script = Owner::new().with(|| late_scripts(&options));
        assert!(script.contains("import(\"/pkg/page.js\")"), "{script}");
        assert!(script.contains(".wasm\"}"), "{script}");
        assert_eq!(late("<script>nothing</script>"), None);
    }
}
