//! The processor's kernels against candle's own operations.

use std::cell::Cell;

use candle_core::{Device, Tensor};

use super::activation::{Activation, geglu};
use super::attention;
use super::conv::{Conv2d, Extra};
use super::cpu::conv::PackedConv;
use super::cpu::linear::PackedLinear;
use super::linear::Linear;
use super::norm::{GroupNorm, LayerNorm};
use super::resize::upsample;
use crate::pipeline::noise::noise;

/// Normal numbers, the same in every run and others with every call of a test.
fn random(shape: &[usize]) -> Tensor {
    thread_local!(static CALLS: Cell<u64> = const { Cell::new(0) });
    let seed = CALLS.replace(CALLS.get() + 1);
    Tensor::from_vec(noise(seed, shape.iter().product()), shape, &Device::Cpu).expect("numbers")
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("floats")
}

fn close(what: &str, found: &Tensor, wanted: &Tensor, tolerance: f32) {
    assert_eq!(found.dims(), wanted.dims(), "{what}");
    for (found, wanted) in floats(found).into_iter().zip(floats(wanted)) {
        assert!((found - wanted).abs() < tolerance, "{what}: {found} is not {wanted}");
    }
}

#[test]
fn convolutions_agree() {
    // Inputs, outputs, kernel, stride, padding, height, width: with rows shorter and longer than a
    // tile, channels that fill it and that do not.
    for [inputs, outputs, kernel, stride, padding, height, width] in [
        [3, 5, 3, 1, 1, 7, 9],
        [8, 16, 3, 1, 1, 16, 16],
        [16, 9, 3, 2, 1, 17, 12],
        [4, 8, 3, 2, 0, 9, 33],
        [5, 12, 1, 1, 0, 8, 8],
        [2, 3, 5, 1, 2, 40, 70],
        [6, 40, 3, 1, 1, 1, 2],
    ] {
        let x = random(&[2, inputs, height, width]);
        let (weight, bias) = (random(&[outputs, inputs, kernel, kernel]), random(&[1, outputs, 1, 1]));
        let packed = PackedConv::new(&floats(&weight), Some(floats(&bias)), [outputs, inputs, kernel], stride, padding);
        let fast = Conv2d::Cpu(packed);
        let plain = Conv2d::Device { weight, bias: Some(bias), stride, padding };
        let wanted = plain.forward(&x).expect("it convolves");
        close("a convolution", &fast.forward(&x).expect("it convolves"), &wanted, 1e-4);

        let (per_channel, residual) = (random(&[2, outputs]), random(wanted.dims()));
        for activation in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::QuickGelu] {
            let extra = Extra { per_channel: Some(&per_channel), residual: Some(&residual), activation };
            let wanted = plain.forward_with(&x, extra).expect("it convolves");
            close("with extras", &fast.forward_with(&x, extra).expect("it convolves"), &wanted, 1e-4);
        }
        if kernel == 1 {
            let tokens = x.flatten_from(2).and_then(|x| x.transpose(1, 2)?.contiguous()).expect("tokens");
            let found = fast.forward_tokens(&tokens, height, width, Extra::default()).expect("it projects");
            close("from tokens", &found, &wanted, 1e-4);
        }
    }
}

#[test]
fn linear_layers_agree() {
    for [tokens, inputs, outputs] in [[1, 7, 5], [2, 32, 96], [77, 40, 33], [300, 64, 100], [4096, 8, 16]] {
        let x = random(&[2, tokens, inputs]);
        let (weight, bias) = (random(&[outputs, inputs]), random(&[outputs]));
        let fast = Linear::Cpu(PackedLinear::new(&floats(&weight), Some(floats(&bias)), outputs, inputs));
        let transposed = weight.t().and_then(|weight| weight.contiguous()).expect("a transpose");
        let plain = Linear::Device { weight: transposed, bias: Some(bias) };
        let wanted = plain.forward(&x).expect("it maps");
        close("a linear layer", &fast.forward(&x).expect("it maps"), &wanted, 1e-4);
        let residual = random(wanted.dims());
        let wanted = plain.forward_with(&x, Some(&residual), Activation::Silu).expect("it maps");
        close(
            "with extras",
            &fast.forward_with(&x, Some(&residual), Activation::Silu).expect("it maps"),
            &wanted,
            1e-4,
        );

        let planes = random(&[2, inputs, 3, tokens]);
        let wanted = plain.forward_planes(&planes).expect("it maps");
        close("from planes", &fast.forward_planes(&planes).expect("it maps"), &wanted, 1e-4);
    }
}

#[test]
fn norms_agree() {
    for [channels, groups, height, width] in [[6, 3, 5, 7], [16, 16, 1, 2], [32, 4, 16, 16], [8, 1, 33, 65]] {
        let x = (random(&[2, channels, height, width]) + 3.0).expect("numbers around 3");
        let norm = GroupNorm::new(groups, random(&[channels]), random(&[channels]), 1e-5);
        let modulation = random(&[2, 2 * channels]);
        for activation in [Activation::None, Activation::Silu] {
            let wanted = norm.composed(&x, None, activation).expect("it normalises");
            close("a group norm", &norm.forward(&x, activation).expect("it normalises"), &wanted, 5e-5);
            let wanted = norm.composed(&x, Some(&modulation), activation).expect("it normalises");
            let found = norm.forward_modulated(&x, Some(&modulation), activation).expect("it normalises");
            close("a modulated group norm", &found, &wanted, 2e-4);
        }
        assert!(norm.forward_modulated(&x, Some(&random(&[2, channels])), Activation::None).is_err());
    }
    let (x, weight, bias) = (random(&[2, 40, 33]), random(&[33]), random(&[33]));
    let wanted = candle_nn::ops::layer_norm(&x, &weight, &bias, 1e-5).expect("it normalises");
    let norm = LayerNorm::new(weight, bias, 1e-5);
    close("a layer norm", &norm.forward(&x).expect("it normalises"), &wanted, 1e-5);
}

#[test]
fn attention_agrees() {
    for [heads, dim, queries, keys] in [[1, 8, 5, 3], [4, 40, 64, 32], [2, 5, 33, 77], [8, 16, 100, 100]] {
        let q = random(&[2, queries, heads * dim]);
        let (k, v) = (random(&[2, keys, heads * dim]), random(&[2, keys, heads * dim]));
        for causal in [false, true] {
            let found = attention::attention(&q, &k, &v, heads, causal).expect("it attends");
            let wanted = attention::composed(&q, &k, &v, heads, causal).expect("it attends");
            close("attention", &found, &wanted, 1e-5);
        }
    }
}

#[test]
fn activations_agree() {
    let x = (random(&[3, 1001]) * 4.0).expect("wide numbers");
    for activation in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::QuickGelu] {
        let wanted = activation.composed(&x).expect("it activates");
        close("an activation", &activation.apply(&x).expect("it activates"), &wanted, 2e-6);
    }
    let x = random(&[2, 3, 70]);
    let gate = x.narrow(2, 35, 35).and_then(|gate| gate.contiguous()?.gelu_erf()).expect("a gate");
    let wanted = (x.narrow(2, 0, 35).expect("values") * gate).expect("a product");
    close("a gated unit", &geglu(&x).expect("it gates"), &wanted, 2e-6);
}

#[test]
fn enlarging_agrees() {
    let x = random(&[2, 3, 5, 7]);
    for factor in [2, 3] {
        let wanted = x.upsample_nearest2d(5 * factor, 7 * factor).expect("it enlarges");
        close("enlarging", &upsample(&x, factor).expect("it enlarges"), &wanted, 1e-9);
    }
}
