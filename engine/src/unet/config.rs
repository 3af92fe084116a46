//! What `unet/config.json` may say.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::addition::AdditionConfig;
use crate::config::{PerBlock, only_known, read_json};
use crate::error::LoadError;
use crate::nn::activation::Activation;
use crate::nn::resnet::{ResnetStyle, TimeShift};

/// A down or up block, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum BlockType {
    #[serde(rename = "DownBlock2D", alias = "UpBlock2D")]
    Plain,
    #[serde(rename = "CrossAttnDownBlock2D", alias = "CrossAttnUpBlock2D")]
    CrossAttention,
}

/// One level of the network.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    pub(crate) channels: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) transformer_layers: usize,
    pub(crate) context: usize,
}

/// A checked configuration: every level's sizes agree with each other.
#[derive(Clone, Debug)]
pub(crate) struct UnetConfig {
    pub(crate) in_channels: usize,
    pub(crate) out_channels: usize,
    /// From the finest level to the coarsest.
    pub(crate) levels: Vec<Level>,
    pub(crate) down: Vec<BlockType>,
    /// From the coarsest level to the finest.
    pub(crate) up: Vec<BlockType>,
    pub(crate) mid: bool,
    pub(crate) downsample_padding: usize,
    pub(crate) activation: Activation,
    pub(crate) groups: usize,
    pub(crate) eps: f64,
    pub(crate) linear_projection: bool,
    pub(crate) only_cross_attention: bool,
    pub(crate) flip_sin_to_cos: bool,
    pub(crate) freq_shift: f64,
    pub(crate) time_embedding: usize,
    pub(crate) time_shift: TimeShift,
    pub(crate) conv_in_kernel: usize,
    pub(crate) conv_out_kernel: usize,
    pub(crate) addition: Option<AdditionConfig>,
    /// Waves of the guidance, in networks that are told it.
    pub(crate) guidance: Option<usize>,
}

#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    in_channels: usize,
    out_channels: usize,
    flip_sin_to_cos: bool,
    freq_shift: f64,
    down_block_types: Vec<BlockType>,
    mid_block_type: Option<String>,
    up_block_types: Vec<BlockType>,
    only_cross_attention: bool,
    block_out_channels: Vec<usize>,
    layers_per_block: PerBlock,
    downsample_padding: usize,
    act_fn: Activation,
    norm_num_groups: usize,
    norm_eps: f64,
    cross_attention_dim: PerBlock,
    transformer_layers_per_block: PerBlock,
    attention_head_dim: PerBlock,
    num_attention_heads: Option<PerBlock>,
    use_linear_projection: bool,
    time_embedding_dim: Option<usize>,
    resnet_time_scale_shift: TimeShift,
    conv_in_kernel: usize,
    conv_out_kernel: usize,
    addition_embed_type: Option<String>,
    addition_embed_type_num_heads: usize,
    addition_time_embed_dim: Option<usize>,
    projection_class_embeddings_input_dim: Option<usize>,
    time_cond_proj_dim: Option<usize>,
}

impl Default for Raw {
    fn default() -> Raw {
        use BlockType::{CrossAttention, Plain};
        Raw {
            in_channels: 4,
            out_channels: 4,
            flip_sin_to_cos: true,
            freq_shift: 0.0,
            down_block_types: vec![CrossAttention, CrossAttention, CrossAttention, Plain],
            mid_block_type: Some("UNetMidBlock2DCrossAttn".into()),
            up_block_types: vec![Plain, CrossAttention, CrossAttention, CrossAttention],
            only_cross_attention: false,
            block_out_channels: vec![320, 640, 1280, 1280],
            layers_per_block: PerBlock::Same(2),
            downsample_padding: 1,
            act_fn: Activation::Silu,
            norm_num_groups: 32,
            norm_eps: 1e-5,
            cross_attention_dim: PerBlock::Same(1280),
            transformer_layers_per_block: PerBlock::Same(1),
            attention_head_dim: PerBlock::Same(8),
            num_attention_heads: None,
            use_linear_projection: false,
            time_embedding_dim: None,
            resnet_time_scale_shift: TimeShift::default(),
            conv_in_kernel: 3,
            conv_out_kernel: 3,
            addition_embed_type: None,
            addition_embed_type_num_heads: 64,
            addition_time_embed_dim: None,
            projection_class_embeddings_input_dim: None,
            time_cond_proj_dim: None,
        }
    }
}

impl UnetConfig {
    /// Reads and checks a configuration file.
    pub(crate) fn read(path: &Path) -> Result<UnetConfig, LoadError> {
        let value: Value = read_json(path)?;
        only_known(
            path,
            &value,
            &[
                ("_class_name", json!("UNet2DConditionModel")),
                ("center_input_sample", json!(false)),
                ("mid_block_scale_factor", json!(1)),
                ("encoder_hid_dim", Value::Null),
                ("encoder_hid_dim_type", Value::Null),
                ("dual_cross_attention", json!(false)),
                ("class_embed_type", Value::Null),
                ("num_class_embeds", Value::Null),
                ("resnet_skip_time_act", json!(false)),
                ("resnet_out_scale_factor", json!(1)),
                ("time_embedding_type", json!("positional")),
                ("time_embedding_act_fn", Value::Null),
                ("timestep_post_act", Value::Null),
                ("reverse_transformer_layers_per_block", Value::Null),
                ("attention_type", json!("default")),
                ("class_embeddings_concat", json!(false)),
                ("mid_block_only_cross_attention", json!(false)),
                ("cross_attention_norm", Value::Null),
            ],
        )?;
        let raw: Raw = serde_json::from_value(value).map_err(|error| LoadError::config(path, error.to_string()))?;
        raw.check(path)
    }

    /// What all residual blocks have in common.
    pub(crate) fn resnets(&self) -> ResnetStyle {
        let time = Some((self.time_embedding, self.time_shift));
        ResnetStyle { groups: self.groups, eps: self.eps, activation: self.activation, time }
    }

    /// The finest level's channels.
    pub(crate) fn first_channels(&self) -> usize {
        self.levels.first().map_or(0, |level| level.channels)
    }

    /// Latent sides must be multiples of this.
    pub(crate) fn divisor(&self) -> usize {
        1 << (self.levels.len() - 1)
    }

    /// Width of the text states the network attends to.
    pub(crate) fn context(&self) -> usize {
        self.levels.first().map_or(0, |level| level.context)
    }
}

impl Raw {
    fn addition(&self, path: &Path, context: usize) -> Result<Option<AdditionConfig>, LoadError> {
        match (self.addition_embed_type.as_deref(), self.addition_time_embed_dim) {
            (None, _) => Ok(None),
            (Some("text_time"), Some(width)) if width >= 2 && width as f64 / 2.0 != self.freq_shift => {
                match self.projection_class_embeddings_input_dim {
                    Some(inputs) if inputs > 0 => Ok(Some(AdditionConfig::TextTime { width, inputs })),
                    _ => Err(LoadError::config(path, "`projection_class_embeddings_input_dim` is missing")),
                }
            }
            (Some("text_time"), _) => Err(LoadError::config(path, "`addition_time_embed_dim` is missing or too small")),
            (Some("text"), _) => {
                let heads = self.addition_embed_type_num_heads;
                if heads == 0 || !context.is_multiple_of(heads) {
                    let reason = format!("`cross_attention_dim` {context} does not divide into {heads} heads");
                    return Err(LoadError::config(path, reason));
                }
                Ok(Some(AdditionConfig::Text { heads }))
            }
            (Some(other), _) => Err(LoadError::config(
                path,
                format!("`addition_embed_type` is {other:?}, and only \"text_time\" and \"text\" are known here"),
            )),
        }
    }

    fn check(self, path: &Path) -> Result<UnetConfig, LoadError> {
        let bad = |reason: String| Err(LoadError::config(path, reason));
        let count = self.block_out_channels.len();
        if count == 0 || count > 8 || self.down_block_types.len() != count || self.up_block_types.len() != count {
            return bad(format!(
                "`block_out_channels`, `down_block_types` and `up_block_types` have {count}, {} and {} entries",
                self.down_block_types.len(),
                self.up_block_types.len()
            ));
        }
        let mid = match self.mid_block_type.as_deref() {
            Some("UNetMidBlock2DCrossAttn") => true,
            None => false,
            Some(other) => {
                return bad(format!(
                    "`mid_block_type` is {other:?}, and only \"UNetMidBlock2DCrossAttn\" is known here"
                ));
            }
        };
        if self.norm_num_groups == 0 || self.block_out_channels.iter().any(|c| *c == 0 || c % self.norm_num_groups != 0)
        {
            return bad(format!(
                "`block_out_channels` {:?} do not divide into {} groups",
                self.block_out_channels, self.norm_num_groups
            ));
        }
        if self.num_attention_heads.is_some() {
            return bad("`num_attention_heads` is set; such models count heads in `attention_head_dim`".into());
        }
        // Named "head dim" since the first of these models, and meaning the number of heads.
        let heads = self.attention_head_dim.spread(path, "attention_head_dim", count)?;
        let layers = self.layers_per_block.spread(path, "layers_per_block", count)?;
        let transformers = self.transformer_layers_per_block.spread(path, "transformer_layers_per_block", count)?;
        let contexts = self.cross_attention_dim.spread(path, "cross_attention_dim", count)?;
        if contexts.iter().any(|context| *context != contexts[0]) {
            return bad(format!("`cross_attention_dim` {contexts:?} differs between blocks"));
        }
        for (index, (channels, heads)) in self.block_out_channels.iter().zip(&heads).enumerate() {
            // Levels without attention may carry any number of heads.
            let attends = [self.down_block_types[index], self.up_block_types[count - 1 - index]]
                .contains(&BlockType::CrossAttention)
                || (mid && index + 1 == count);
            if attends && channels % heads != 0 {
                return bad(format!("{channels} channels do not divide into {heads} attention heads"));
            }
        }
        for (field, kernel) in [("conv_in_kernel", self.conv_in_kernel), ("conv_out_kernel", self.conv_out_kernel)] {
            if kernel % 2 == 0 || kernel > 7 {
                return bad(format!("`{field}` is {kernel}, and only 1, 3, 5 and 7 are known here"));
            }
        }
        if self.downsample_padding > 1 {
            return bad(format!(
                "`downsample_padding` is {}, and only 0 and 1 are known here",
                self.downsample_padding
            ));
        }
        if self.in_channels == 0 || self.out_channels == 0 || !(self.norm_eps > 0.0 && self.norm_eps < 1.0) {
            return bad("`in_channels`, `out_channels` and `norm_eps` must be positive".into());
        }
        // The waves' frequencies divide by this.
        if !self.freq_shift.is_finite() || (self.block_out_channels[0] / 2) as f64 == self.freq_shift {
            return bad(format!("`freq_shift` {} does not fit the first channels", self.freq_shift));
        }
        if self.time_cond_proj_dim.is_some_and(|width| width < 4) {
            return bad("`time_cond_proj_dim` must be at least 4".into());
        }
        let addition = self.addition(path, contexts[0])?;
        let levels = (0..count)
            .map(|i| Level {
                channels: self.block_out_channels[i],
                layers: layers[i],
                heads: heads[i],
                transformer_layers: transformers[i],
                context: contexts[i],
            })
            .collect();
        Ok(UnetConfig {
            in_channels: self.in_channels,
            out_channels: self.out_channels,
            levels,
            down: self.down_block_types,
            up: self.up_block_types,
            mid,
            downsample_padding: self.downsample_padding,
            activation: self.act_fn,
            groups: self.norm_num_groups,
            eps: self.norm_eps,
            linear_projection: self.use_linear_projection,
            only_cross_attention: self.only_cross_attention,
            flip_sin_to_cos: self.flip_sin_to_cos,
            freq_shift: self.freq_shift,
            time_embedding: self.time_embedding_dim.unwrap_or(4 * self.block_out_channels[0]),
            time_shift: self.resnet_time_scale_shift,
            conv_in_kernel: self.conv_in_kernel,
            conv_out_kernel: self.conv_out_kernel,
            addition,
            guidance: self.time_cond_proj_dim,
        })
    }
}
