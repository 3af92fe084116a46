use domain::examples::without_style;
use domain::{JobId, ValidRequest, Way};
use leptos_router::params::ParamsMap;

/// A link to the studio with every setting of a job's request filled in, and a seed if one is to be kept.
pub fn remix_link(request: &ValidRequest, job: JobId, seed: Option<u64>) -> String {
    let mut query = ParamsMap::new();
    // A style that was chosen is chosen again, so that another one takes its place.
    let (words, style) = without_style(&request.prompt);
    query.insert("prompt", words.to_owned());
    if let Some(style) = style {
        query.insert("style", style.slug.to_owned());
    }
    // The size and steps of a picture that was made larger are not those of one that is made.
    if !matches!(request.source.as_ref().map(|source| &source.way), Some(Way::Upscale { .. })) {
        query.insert("size", format!("{}x{}", request.width, request.height));
        query.insert("steps", request.steps.to_string());
        query.insert("guidance", request.guidance.to_string());
    }
    query.insert("count", if seed.is_some() { "1".to_owned() } else { request.count.to_string() });
    if !request.negative_prompt.is_empty() {
        query.insert("negative", request.negative_prompt.clone());
    }
    if let Some(seed) = seed {
        query.insert("seed", seed.to_string());
    }
    query.insert("parent", job.to_string());
    format!("/{}", query.to_query_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_link() {
        let request = ValidRequest {
            prompt: "red & blue? 50% #1".into(),
            negative_prompt: String::new(),
            model: "starter".into(),
            capability: "image.fast".into(),
            count: 4,
            seed: 1,
            width: 256,
            height: 256,
            steps: 12,
            guidance: 3.0,
            source: None,
        };
        let styled = ValidRequest { prompt: "a sea, stars, oil painting".into(), ..request.clone() };
        let link = remix_link(&styled, JobId::from_random(1), None);
        assert!(link.contains("prompt=a%20sea%2C%20stars&") && link.contains("style=oil"), "{link}");
        let link = remix_link(&request, JobId::from_random(1), Some(7));
        assert!(link.starts_with("/?") && link.contains("seed=7"), "{link}");
        assert!(link.contains("red%20%26%20blue%3F%2050%25%20%231"), "{link}");
    }
}
