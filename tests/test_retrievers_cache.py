"""The cache of scores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from retrievers.rerank.cache import ScoreCache


def test_a_score_is_found_under_its_own_texts_only() -> None:
    cache = ScoreCache("model@1", 10)
    (key,) = cache.keys("instruction", "query", ["document"])
    cache.put(key, 0.25)

    assert cache.lookup(cache.keys("instruction", "query", ["document"])) == {key: 0.25}
    for other in (
        cache.keys("instruction", "query", ["other"]),
        cache.keys("instruction", "other", ["document"]),
        cache.keys("other", "query", ["document"]),
        cache.keys("instruction", "queryd", ["ocument"]),
        ScoreCache("model@2", 10).keys("instruction", "query", ["document"]),
    ):
        assert cache.lookup(other) == {}


def test_the_scores_used_longest_ago_are_forgotten() -> None:
    cache = ScoreCache("model", 2)
    first, second, third = cache.keys("", "", ["1", "2", "3"])
    cache.put(first, 1.0)
    cache.put(second, 2.0)
    cache.lookup([first])
    cache.put(third, 3.0)

    assert cache.lookup([first, second, third]) == {first: 1.0, third: 3.0}


def test_many_threads_share_it() -> None:
    cache = ScoreCache("model", 50)
    keys = cache.keys("", "", [str(number) for number in range(200)])

    def work(number: int) -> None:
        cache.put(keys[number % 200], float(number % 200))
        cache.lookup(keys)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1000)))

    assert len(cache) == 50
    assert all(keys[int(score)] == key for key, score in cache.lookup(keys).items())


def test_lone_surrogates_can_be_keyed() -> None:
    assert len(ScoreCache("model", 2).keys("", "\ud800", ["\udfff"])) == 1
