//! Makes one picture: `cargo run --release -p engine --example generate -- "a red boat at sunset" picture.png`

use engine::{Device, Params, Pipeline, encode_png};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let prompt = words.next().unwrap_or_else(|| "a sea at sunset".into());
    let out = words.next().unwrap_or_else(|| "picture.png".into());
    let seed = words.next().map_or(Ok(1), |seed| seed.parse())?;

    let pipeline = Pipeline::load("models/starter".as_ref(), &Device::cpu())?;
    let info = pipeline.info();
    let (size, steps, guidance) = (info.native_size, info.default_steps, info.default_guidance);
    let (negative_prompt, variation) = (String::new(), None);
    let params = Params { prompt, negative_prompt, width: size, height: size, steps, guidance, seed, variation };
    let mut session = pipeline.open(&params)?;
    while !session.is_done() {
        pipeline.step(&mut [&mut session])?;
    }
    std::fs::write(out, encode_png(&pipeline.finish(&session)?, Some(&params.prompt))?)?;
    Ok(())
}
