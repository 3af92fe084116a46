use domain::{GenerationRequest, ModelCard, price};
use leptos::prelude::*;

/// What one picture costs, for every model on offer, as the studio itself reckons it.
#[component]
pub fn Prices(models: Vec<ModelCard>) -> impl IntoView {
    // What makes pictures larger asks for no steps.
    let drawing: Vec<ModelCard> = models.into_iter().filter(|card| !card.upscales()).collect();
    if drawing.is_empty() {
        return ().into_any();
    }
    view! {
        <section class="mt-12">
            <h2 class="words mb-1 text-2xl">"What one picture costs"</h2>
            <p class="text-muted mb-4">
                "By the work it takes: more pixels and more steps cost more. What fails or is cancelled costs nothing."
            </p>
            <div class="grid gap-6 sm:grid-cols-2">{drawing.iter().map(table).collect_view()}</div>
        </section>
    }
    .into_any()
}

fn table(card: &ModelCard) -> impl IntoView + use<> {
    let steps = steps(card);
    let heads = steps.iter().map(|steps| view! { <th scope="col" class="number">{format!("{steps} steps")}</th> });
    let rows = sides(card).into_iter().map(|side| {
        let cells = steps.iter().map(|steps| {
            let credits = cost(card, side, *steps).map_or_else(|| "–".to_owned(), |credits| credits.to_string());
            view! { <td class="number">{credits}</td> }
        });
        view! {
            <tr>
                <th scope="row">{format!("{side} × {side}")}</th>
                {cells.collect_view()}
            </tr>
        }
    });
    view! {
        <table class="ledger">
            <caption class="pb-2 text-left font-semibold">{card.title.clone()}</caption>
            <thead>
                <tr>
                    <th scope="col">"Size"</th>
                    {heads.collect_view()}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

/// The usual steps, twice as many, and the most.
fn steps(card: &ModelCard) -> Vec<u32> {
    let mut steps = vec![card.default_steps, (card.default_steps * 2).min(card.max_steps), card.max_steps];
    steps.dedup();
    steps
}

/// The usual square, the largest, and one between.
fn sides(card: &ModelCard) -> Vec<u32> {
    let multiple = card.size_multiple.max(1);
    let between = (card.native_size + card.max_side()) / 2 / multiple * multiple;
    let mut sides = vec![card.native_size, between, card.max_side()];
    sides.dedup();
    sides
}

/// Credits for one picture; `None` where the model can't make it.
fn cost(card: &ModelCard, side: u32, steps: u32) -> Option<u32> {
    let request = GenerationRequest {
        prompt: "a".into(),
        model: Some(card.name.clone()),
        width: Some(side),
        height: Some(side),
        steps: Some(steps),
        count: Some(1),
        ..GenerationRequest::default()
    };
    let request = request.validate(std::slice::from_ref(card), 0).ok()?;
    Some(price::price(&request, card))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_the_studio_charges() {
        let card = ModelCard {
            name: "starter".into(),
            title: "Starter".into(),
            capability: "image.fast".into(),
            native_size: 256,
            default_steps: 12,
            max_steps: 50,
            default_guidance: 3.0,
            size_multiple: 32,
        };
        assert_eq!((steps(&card), sides(&card)), (vec![12, 24, 50], vec![256, 384, 512]));
        assert_eq!((cost(&card, 256, 12), cost(&card, 512, 12), cost(&card, 100, 12)), (Some(1), Some(4), None));
        let odd = ModelCard { max_steps: 12, ..card };
        assert_eq!(steps(&odd), [12]);
    }
}
