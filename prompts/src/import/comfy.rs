//! The two forms of a ComfyUI workflow: what is sent to be run, and what the editor saves.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::import::graph::{Graph, Input, Node};

/// The workflow that a value is, in either form; also where the value is what is sent to the server.
pub(super) fn graph(value: &Value) -> Option<Graph> {
    let map = value.as_object()?;
    if map.values().any(|node| node.get("class_type").is_some_and(Value::is_string)) {
        return Some(sent(map));
    }
    if let Some(nodes) = map.get("nodes").and_then(Value::as_array)
        && nodes.iter().any(|node| node.get("type").is_some_and(Value::is_string) && node.get("inputs").is_some())
    {
        return Some(saved(nodes, map.get("links")));
    }
    // `{"prompt": {…}}` is what the server is sent; pictures have `{"prompt": …, "workflow": …}` too.
    let inner = map.get("prompt").or_else(|| map.get("workflow"))?;
    inner.is_object().then(|| graph(inner)).flatten()
}

fn sent(map: &Map<String, Value>) -> Graph {
    let mut nodes = BTreeMap::new();
    for (id, raw) in map {
        let Some(kind) = raw.get("class_type").and_then(Value::as_str) else {
            continue;
        };
        let inputs = raw.get("inputs").and_then(Value::as_object);
        let inputs = inputs.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), input(value)?)));
        let title = raw.get("_meta").and_then(|meta| meta.get("title")).and_then(Value::as_str).unwrap_or_default();
        let node = Node { kind: kind.to_owned(), title: title.to_owned(), inputs: inputs.collect(), muted: false };
        nodes.insert(id.clone(), node);
    }
    Graph { nodes }
}

fn input(value: &Value) -> Option<Input> {
    match value {
        Value::String(text) => Some(Input::Text(text.clone())),
        Value::Number(number) => Some(Input::Number(number.to_string())),
        Value::Array(link) => Some(Input::Link(name(link.first()?)?)),
        _ => None,
    }
}

/// Names of nodes and links are numbers here and texts there.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn saved(raw: &[Value], links: Option<&Value>) -> Graph {
    let origins: HashMap<String, String> = links
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|link| {
            let part = |at: usize, key: &str| name(link.get(at).or_else(|| link.get(key))?);
            Some((part(0, "id")?, part(1, "origin_id")?))
        })
        .collect();
    let mut nodes = BTreeMap::new();
    for raw in raw {
        let (Some(id), Some(kind)) = (raw.get("id").and_then(name), raw.get("type").and_then(Value::as_str)) else {
            continue;
        };
        let mut inputs = widgets(kind, raw.get("widgets_values"));
        for slot in raw.get("inputs").and_then(Value::as_array).into_iter().flatten() {
            let link = slot.get("link").and_then(name).and_then(|link| origins.get(&link));
            if let (Some(slot), Some(origin)) = (slot.get("name").and_then(Value::as_str), link) {
                inputs.insert(slot.to_owned(), Input::Link(origin.clone()));
            }
        }
        let title = raw.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        // 2 is switched off, 4 is passed by.
        let muted = raw.get("mode").and_then(Value::as_u64).is_some_and(|mode| mode == 2 || mode == 4);
        nodes.insert(id, Node { kind: kind.to_owned(), title, inputs, muted });
    }
    Graph { nodes }
}

/// The editor saves values without their names, in the order in which a node shows them.
fn widgets(kind: &str, values: Option<&Value>) -> BTreeMap<String, Input> {
    let names: &[&str] = match kind {
        "CLIPTextEncode" => &["text"],
        "CLIPTextEncodeFlux" => &["clip_l", "t5xxl", "guidance"],
        "CLIPTextEncodeSDXL" => &["", "", "", "", "", "", "text_g", "text_l"],
        "KSampler" => &["seed", "", "steps", "cfg"],
        "KSamplerAdvanced" => &["", "noise_seed", "", "steps", "cfg"],
        "SamplerCustom" => &["", "noise_seed", "", "cfg"],
        "RandomNoise" => &["noise_seed"],
        "BasicScheduler" => &["", "steps"],
        "CFGGuider" => &["cfg"],
        "FluxGuidance" => &["guidance"],
        "CheckpointLoaderSimple" => &["ckpt_name"],
        "CheckpointLoader" => &["", "ckpt_name"],
        "UNETLoader" | "UnetLoaderGGUF" => &["unet_name"],
        _ if kind.starts_with("Empty") && kind.contains("Latent") => &["width", "height"],
        _ if kind.starts_with("Primitive") => &["value"],
        _ if ["Text", "String", "Prompt"].iter().any(|word| kind.contains(word)) => &["text"],
        _ => &[],
    };
    match values {
        Some(Value::Array(values)) => {
            let named = names.iter().zip(values).filter(|(name, _)| !name.is_empty());
            named.filter_map(|(name, value)| Some(((*name).to_owned(), scalar(value)?))).collect()
        }
        Some(Value::Object(values)) => {
            values.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
        }
        _ => BTreeMap::new(),
    }
}

fn scalar(value: &Value) -> Option<Input> {
    if value.is_array() { None } else { input(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sent_is_followed_through_other_nodes() {
        let value = json!({
            "3": {"class_type": "KSampler", "inputs": {"seed": 12_345_678_901_234_567_u64, "steps": 24, "cfg": 6.5,
                "model": ["10", 0], "positive": ["7", 0], "negative": ["7", 1], "latent_image": ["5", 0]}},
            "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl/some-model.safetensors"}},
            "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 832, "height": 1216, "batch_size": 1}},
            "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["11", 0], "clip": ["4", 1]}},
            "7": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["6", 0], "negative": ["8", 0]}},
            "8": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["4", 1]}},
            "10": {"class_type": "LoraLoader", "inputs": {"model": ["4", 0], "lora_name": "x"}},
            "11": {"class_type": "PrimitiveString", "inputs": {"value": "a sea"}}
        });
        let entries = graph(&json!({"prompt": value})).unwrap().entries();
        assert_eq!(entries.len(), 1);
        let entry = &entries[0];
        assert_eq!((entry.prompt.as_str(), entry.negative.as_str()), ("a sea", "fog"));
        assert_eq!((entry.seed, entry.steps, entry.guidance), (Some(12_345_678_901_234_567), Some(24), Some(6.5)));
        assert_eq!((entry.width, entry.height), (Some(832), Some(1216)));
        assert_eq!((entry.model.as_str(), entry.tool.as_str()), ("some-model", "ComfyUI"));
    }

    #[test]
    fn what_is_saved_gives_the_same() {
        let value = json!({"nodes": [
            {"id": 1, "type": "CheckpointLoaderSimple", "inputs": [], "widgets_values": ["some-model.ckpt"]},
            {"id": 2, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 1}], "widgets_values": ["a sea"]},
            {"id": 3, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 2}], "widgets_values": ["fog"]},
            {"id": 4, "type": "EmptyLatentImage", "widgets_values": [512, 768, 1]},
            {"id": 9, "type": "Reroute", "inputs": [{"name": "", "link": 3}]},
            {"id": 5, "type": "KSampler", "inputs": [{"name": "model", "link": 4}, {"name": "positive", "link": 5},
                {"name": "negative", "link": 6}, {"name": "latent_image", "link": 7}],
                "widgets_values": [5, "randomize", 20, 8, "euler", "normal", 1]},
            {"id": 6, "type": "KSampler", "mode": 4, "inputs": [{"name": "positive", "link": 6}], "widgets_values": [6]}
        ], "links": [[1, 1, 1, 2, 0, "CLIP"], [2, 1, 1, 3, 0, "CLIP"], [3, 2, 0, 9, 0, "*"], [4, 1, 0, 5, 0, "MODEL"],
            [5, 9, 0, 5, 1, "CONDITIONING"], [6, 3, 0, 5, 2, "CONDITIONING"], [7, 4, 0, 5, 3, "LATENT"]]});
        let entries = graph(&value).unwrap().entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
        let entry = &entries[0];
        assert_eq!((entry.prompt.as_str(), entry.negative.as_str()), ("a sea", "fog"));
        assert_eq!((entry.seed, entry.steps, entry.guidance), (Some(5), Some(20), Some(8.0)));
        assert_eq!((entry.width, entry.height, entry.model.as_str()), (Some(512), Some(768), "some-model"));
    }

    #[test]
    fn circles_and_lone_texts_end() {
        let value = json!({
            "1": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["2", 0], "negative": ["2", 0]}},
            "2": {"class_type": "ConditioningCombine", "inputs": {"conditioning_1": ["2", 0], "conditioning_2": ["1", 0]}},
            "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a sea"}},
            "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog"}, "_meta": {"title": "Negative"}}
        });
        let entries = graph(&value).unwrap().entries();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].prompt.as_str(), entries[0].negative.as_str()), ("a sea", "fog"));
    }
}
