-- Who a model's card came from: 'shared', or the worker whose own key it came under. Another one's word on a model of
-- the same name is not taken while the first is around.
ALTER TABLE models ADD COLUMN source text;
