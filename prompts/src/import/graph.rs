//! A ComfyUI workflow as a graph: from the samplers back to the words, the numbers and the model.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::entry::{Entry, Field};
use crate::import::fields;

/// Most samplers of a workflow that are followed.
const MAX_SAMPLERS: usize = 64;
/// Most nodes that are visited for one answer.
const MAX_VISITS: usize = 400;
/// Most texts that are joined for one prompt.
const MAX_TEXTS: usize = 32;

/// Nodes by their name in the workflow.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    /// What it does: "KSampler".
    pub kind: String,
    /// What a person called it.
    pub title: String,
    pub inputs: BTreeMap<String, Input>,
    /// Switched off.
    pub muted: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Input {
    /// What the node of this name gives.
    Link(String),
    Text(String),
    /// As it is written.
    Number(String),
}

impl Graph {
    /// An entry for each sampler that has words, but none twice; without samplers, one for each text that is encoded.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        let samplers = self.nodes.values().filter(|node| node.is_sampler() && !node.muted);
        for entry in samplers.take(MAX_SAMPLERS).map(|node| self.entry(node)) {
            // A second pass refines the same picture.
            let same = |other: &Entry| (&other.prompt, &other.negative) == (&entry.prompt, &entry.negative);
            if !entry.prompt.trim().is_empty() && !entries.iter().any(same) {
                entries.push(entry);
            }
        }
        if entries.is_empty() { self.texts() } else { entries }
    }

    fn entry(&self, sampler: &Node) -> Entry {
        let mut entry = Entry {
            prompt: self.words(sampler, "positive", "negative"),
            negative: self.words(sampler, "negative", "positive"),
            tool: "ComfyUI".into(),
            ..Entry::default()
        };
        // Models without a negative prompt take their own words, or nothing made of them, for it.
        if entry.negative == entry.prompt {
            entry.negative.clear();
        }
        let noise = self.reach(sampler, |_, name| matches!(name, "seed" | "noise_seed" | "noise"));
        let schedule = self.reach(sampler, |_, name| matches!(name, "steps" | "sigmas"));
        let guidance = self.reach(sampler, |_, name| matches!(name, "cfg" | "guider" | "guidance"));
        let conditioning = self.reach(sampler, |_, name| leads_to_words(name, "positive"));
        let models = self.reach(sampler, |_, name| name.contains("model") || name == "guider");
        let latents = self.reach(sampler, |_, name| name.contains("latent") || name == "samples");
        let found = [
            (Field::Seed, number(&noise, &["seed", "noise_seed", "value"])),
            (Field::Steps, number(&schedule, &["steps", "value"])),
            // Models that take their guidance with the words have a scale of 1 beside.
            (Field::Guidance, number(&conditioning, &["guidance"]).or_else(|| number(&guidance, &["cfg", "value"]))),
            (Field::Width, number(&latents, &["width"])),
            (Field::Height, number(&latents, &["height"])),
            (
                Field::Model,
                text(&models, &["ckpt_name", "unet_name", "model_name", "base_ckpt_name"]).map(without_ending),
            ),
        ];
        for (field, value) in found {
            // What can't be read here is of a node that is not known; the rest still stands.
            let _ = fields::set(&mut entry, field, value.unwrap_or_default());
        }
        entry
    }

    /// The words that reach a sampler on one side.
    fn words(&self, sampler: &Node, side: &str, other: &str) -> String {
        let nodes = self.reach(sampler, |node, name| {
            name != other && (leads_to_words(name, side) || is_words(name) || node.kind == "Reroute")
        });
        let mut words: Vec<&str> = Vec::new();
        for (name, input) in nodes.iter().flat_map(|node| &node.inputs) {
            if let Input::Text(text) = input
                && (name == side || is_words(name))
                && !text.trim().is_empty()
                && words.len() < MAX_TEXTS
                && !words.contains(&text.as_str())
            {
                words.push(text);
            }
        }
        words.join("\n")
    }

    fn texts(&self) -> Vec<Entry> {
        let encoders = self.nodes.values().filter(|node| node.kind.contains("TextEncode") && !node.muted);
        let (negative, positive): (Vec<&Node>, Vec<&Node>) =
            encoders.take(MAX_SAMPLERS).partition(|node| node.title.to_lowercase().contains("neg"));
        let negative = match negative.as_slice() {
            [one] => self.words(one, "text", ""),
            _ => String::new(),
        };
        let entry = |node: &Node| Entry {
            prompt: self.words(node, "text", ""),
            negative: negative.clone(),
            tool: "ComfyUI".into(),
            ..Entry::default()
        };
        positive.into_iter().map(entry).filter(|entry| !entry.prompt.trim().is_empty()).collect()
    }

    /// The node, and those that are reached from it through inputs that `follow` says, nearest first.
    fn reach<'a>(&'a self, start: &'a Node, follow: impl Fn(&Node, &str) -> bool) -> Vec<&'a Node> {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut queue = VecDeque::from([start]);
        let mut reached = Vec::new();
        while let Some(node) = queue.pop_front() {
            reached.push(node);
            for (name, input) in &node.inputs {
                if let Input::Link(to) = input
                    && seen.len() < MAX_VISITS
                    && follow(node, name)
                    && seen.insert(to)
                    && let Some(next) = self.nodes.get(to)
                {
                    queue.push_back(next);
                }
            }
        }
        reached
    }
}

impl Node {
    fn is_sampler(&self) -> bool {
        let linked = |name: &str| matches!(self.inputs.get(name), Some(Input::Link(_)));
        let makes_noise = ["seed", "noise_seed", "noise", "steps"].iter().any(|name| self.inputs.contains_key(*name));
        linked("guider") || makes_noise && linked("positive")
    }
}

fn leads_to_words(name: &str, side: &str) -> bool {
    name == side || name.starts_with("cond") || name == "guider"
}

fn is_words(name: &str) -> bool {
    ["text", "string", "prompt", "value", "wildcard", "t5xxl", "clip_l", "clip_g"]
        .iter()
        .any(|start| name.starts_with(start))
}

fn number<'a>(nodes: &[&'a Node], names: &[&str]) -> Option<&'a str> {
    find(nodes, names, |input| if let Input::Number(number) = input { Some(number) } else { None })
}

fn text<'a>(nodes: &[&'a Node], names: &[&str]) -> Option<&'a str> {
    find(nodes, names, |input| if let Input::Text(text) = input { Some(text) } else { None })
}

fn find<'a>(nodes: &[&'a Node], names: &[&str], read: impl Fn(&'a Input) -> Option<&'a String>) -> Option<&'a str> {
    nodes.iter().find_map(|node| names.iter().find_map(|name| read(node.inputs.get(*name)?))).map(String::as_str)
}

/// A model's name without the folders and the ending of its file.
fn without_ending(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let endings = [".safetensors", ".ckpt", ".gguf", ".sft", ".pth", ".pt"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}
