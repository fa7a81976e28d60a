"""Sentences end where a reader would end them."""

from __future__ import annotations

import pytest

from rag_app.chat.text import content_words, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sales rose. Costs fell.", ["Sales rose.", "Costs fell."]),
        ("NVIDIA Inc. Sells chips.", ["NVIDIA Inc. Sells chips."]),
        ("It cost $1.2 million. We paid.", ["It cost $1.2 million.", "We paid."]),
        (
            "The U.S. Treasury acts. In the U.S. Sales fell.",
            ["The U.S. Treasury acts.", "In the U.S. Sales fell."],
        ),
        (
            "In 2002, Mr. Young and Dr. Lee joined. They left.",
            ["In 2002, Mr. Young and Dr. Lee joined.", "They left."],
        ),
        ("It was Mr.\nYoung", ["It was Mr.", "Young"]),
        ("See Note No. 4 on leases. It ends.", ["See Note No. 4 on leases.", "It ends."]),
        ("It rose [1]. It fell. [2] It stood.", ["It rose [1].", "It fell. [2]", "It stood."]),
        ("- one\n- two\n\nThree", ["- one", "- two", "Three"]),
        ("Margin was 3.5%. $4 million went.", ["Margin was 3.5%.", "$4 million went."]),
        ("He said “stop.” They did.", ["He said “stop.”", "They did."]),
        ("Really? Yes! And so on", ["Really?", "Yes!", "And so on"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_content_words_are_stems_and_numbers_without_stop_words() -> None:
    assert content_words("The revenues of 2023 are 26,974") == {"revenu", "2023", "26,974"}
    assert content_words("it is the") == frozenset()
