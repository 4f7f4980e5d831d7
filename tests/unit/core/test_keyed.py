"""The quick HMAC has the bytes of the standard library's."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from trial.core.keyed import Keyed


@given(st.binary(max_size=200), st.lists(st.binary(max_size=200), max_size=4))
def test_every_message_under_every_key_has_the_bytes_of_the_standard_library(key: bytes, messages: list[bytes]) -> None:
    keyed = Keyed(key)
    assert [keyed.digest(one) for one in messages] == [hmac.digest(key, one, "sha256") for one in messages]
