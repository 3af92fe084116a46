//! The text half of CLIP (transformers' `CLIPTextModel` and `CLIPTextModelWithProjection`); OpenCLIP's
//! models come in the same layout.

use std::path::Path;

use candle_core::Tensor;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{only_known, read_json};
use crate::device::Device;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::attention::attention;
use crate::nn::embeddings::Embedding;
use crate::nn::linear::Linear;
use crate::nn::norm::LayerNorm;
use crate::weights::{Scope, Weights};

/// What `text_encoder/config.json` may say.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct ClipConfig {
    vocab_size: usize,
    pub(crate) hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    pub(crate) max_position_embeddings: usize,
    hidden_act: Activation,
    layer_norm_eps: f64,
    projection_dim: usize,
    eos_token_id: u32,
    architectures: Vec<String>,
}

impl Default for ClipConfig {
    fn default() -> ClipConfig {
        ClipConfig {
            vocab_size: 49408,
            hidden_size: 512,
            intermediate_size: 2048,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            max_position_embeddings: 77,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            projection_dim: 512,
            eos_token_id: 49407,
            architectures: Vec::new(),
        }
    }
}

impl ClipConfig {
    pub(crate) fn read(path: &Path) -> Result<ClipConfig, LoadError> {
        let value: Value = read_json(path)?;
        only_known(path, &value, &[("model_type", json!("clip_text_model")), ("use_attention_mask", json!(false))])?;
        let config: ClipConfig =
            serde_json::from_value(value).map_err(|error| LoadError::config(path, error.to_string()))?;
        let ClipConfig { hidden_size: width, num_attention_heads: heads, .. } = config;
        if heads == 0 || width == 0 || width % heads != 0 {
            return Err(LoadError::config(path, format!("width {width} does not divide into {heads} attention heads")));
        }
        if let Some(other) = config.architectures.iter().find(|class| !CLASSES.contains(&class.as_str())) {
            let known = CLASSES.map(str::to_owned).to_vec();
            return Err(LoadError::UnknownClass { found: other.clone(), known });
        }
        if config.num_hidden_layers == 0 || config.intermediate_size == 0 || config.vocab_size == 0 {
            return Err(LoadError::config(path, "a size is 0"));
        }
        if !(config.layer_norm_eps > 0.0 && config.layer_norm_eps < 1.0) {
            return Err(LoadError::config(path, "`layer_norm_eps` must be positive"));
        }
        Ok(config)
    }

    /// The width of the pooled state, where there is one.
    pub(crate) fn pooled(&self) -> Option<usize> {
        self.architectures.iter().any(|class| class == CLASSES[1]).then_some(self.projection_dim)
    }
}

/// The classes whose weights are laid out like this.
const CLASSES: [&str; 2] = ["CLIPTextModel", "CLIPTextModelWithProjection"];

/// What the encoder says about one prompt.
#[derive(Debug)]
pub(crate) struct ClipStates {
    /// The normalised states of the last layer, `[1, ids, width]`.
    pub(crate) last: Tensor,
    /// What the last layer reads, `[1, ids, width]`.
    pub(crate) penultimate: Tensor,
    /// The last state at the end of the prompt, projected: `[1, projection]`.
    pub(crate) pooled: Option<Tensor>,
}

#[derive(Debug)]
pub(crate) struct ClipText {
    config: ClipConfig,
    tokens: Embedding,
    positions: Embedding,
    layers: Vec<Layer>,
    last_norm: LayerNorm,
    projection: Option<Linear>,
}

impl ClipText {
    /// Loads the folder of this part.
    pub(crate) fn load(dir: &Path, config: ClipConfig, device: &Device) -> Result<ClipText, LoadError> {
        let weights = Weights::open(dir, "model", device)?;
        let root = weights.root();
        let projection = match config.pooled() {
            Some(outputs) => Some(Linear::load_plain(&root.at("text_projection"), config.hidden_size, outputs)?),
            None => None,
        };
        // Older files keep everything below `text_model`.
        let root = if root.has("embeddings.token_embedding.weight") { root } else { root.at("text_model") };
        let width = config.hidden_size;
        let embeddings = root.at("embeddings");
        let mut layers = Vec::new();
        for index in 0..config.num_hidden_layers {
            layers.push(Layer::load(&root.at("encoder.layers").at(index), &config)?);
        }
        Ok(ClipText {
            tokens: Embedding::load(&embeddings.at("token_embedding"), config.vocab_size, width)?,
            positions: Embedding::load(&embeddings.at("position_embedding"), config.max_position_embeddings, width)?,
            layers,
            last_norm: LayerNorm::load(&root.at("final_layer_norm"), width, config.layer_norm_eps)?,
            projection,
            config,
        })
    }

    /// Encodes one prompt. There are at most as many ids as the model has positions.
    pub(crate) fn encode(&self, ids: &[u32]) -> Result<ClipStates> {
        if ids.is_empty() || ids.len() > self.config.max_position_embeddings {
            candle_core::bail!("{} tokens for {} positions", ids.len(), self.config.max_position_embeddings);
        }
        let mut x = (self.tokens.forward(ids)? + self.positions.first(ids.len())?)?.unsqueeze(0)?;
        let mut penultimate = x.clone();
        for layer in &self.layers {
            penultimate = x;
            x = layer.forward(&penultimate)?;
        }
        let last = self.last_norm.forward(&x)?;
        let pooled = match &self.projection {
            Some(projection) => Some(projection.forward(&last.narrow(1, self.end(ids), 1)?.squeeze(1)?)?),
            None => None,
        };
        Ok(ClipStates { last, penultimate, pooled })
    }

    /// The place of the token that ends the prompt; padding follows it.
    fn end(&self, ids: &[u32]) -> usize {
        // Files older than the setting say 2 and mean the highest id.
        let end = match self.config.eos_token_id {
            2 => ids.iter().max().copied(),
            end => Some(end),
        };
        ids.iter().position(|id| Some(*id) == end).unwrap_or(0)
    }
}

#[derive(Debug)]
struct Layer {
    heads: usize,
    norm1: LayerNorm,
    queries: Linear,
    keys: Linear,
    values: Linear,
    out: Linear,
    norm2: LayerNorm,
    feed_in: Linear,
    feed_out: Linear,
    activation: Activation,
}

impl Layer {
    fn load(scope: &Scope<'_>, config: &ClipConfig) -> Result<Layer, LoadError> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let project = |name: &str| Linear::load(&scope.at("self_attn").at(name), width, width);
        Ok(Layer {
            heads: config.num_attention_heads,
            norm1: LayerNorm::load(&scope.at("layer_norm1"), width, config.layer_norm_eps)?,
            queries: project("q_proj")?,
            keys: project("k_proj")?,
            values: project("v_proj")?,
            out: project("out_proj")?,
            norm2: LayerNorm::load(&scope.at("layer_norm2"), width, config.layer_norm_eps)?,
            feed_in: Linear::load(&scope.at("mlp.fc1"), width, inner)?,
            feed_out: Linear::load(&scope.at("mlp.fc2"), inner, width)?,
            activation: config.hidden_act,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let normed = self.norm1.forward(x)?;
        let (q, k, v) = (self.queries.forward(&normed)?, self.keys.forward(&normed)?, self.values.forward(&normed)?);
        let attended = attention(&q, &k, &v, self.heads, true)?;
        let x = self.out.forward_with(&attended, Some(x), Activation::None)?;
        let hidden = self.feed_in.forward_with(&self.norm2.forward(&x)?, None, self.activation)?;
        self.feed_out.forward_with(&hidden, Some(&x), Activation::None)
    }
}
