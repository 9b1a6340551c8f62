"""The torch model: what its tables give; that numpy runs the same one is tested with the step."""

import pytest

torch = pytest.importorskip('torch')

from kame_ros.training.small.model import as_product, rows  # noqa: E402


def test_a_product_with_a_table_gives_its_rows_and_their_gradient():
    """What a GPU does in the place of a look-up."""
    table = torch.randn(7, 5, requires_grad=True)
    index = torch.tensor([[0, 3, 3], [6, 3, 1]])
    assert torch.equal(as_product(table, index), table[index])
    assert torch.equal(rows(table, index), table[index])
    grown = [
        torch.autograd.grad((found(table, index) ** 2).sum(), table)[0]
        for found in (rows, as_product)
    ]
    assert torch.allclose(*grown)
