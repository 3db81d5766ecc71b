"""A simulation of the kvcache workload that shares no code with the program: what users ask, and what of it is a hit, when
storage takes no time. Written from the description of the workload (docs/kvcache.md), with Python's own random numbers, so
only means can be compared."""

import collections
import heapq
import random

PERSONAS = ((512, 4096, 50, 200, 0.1, 0.5), (4096, 25000, 100, 500, 0.2, 1.0), (4096, 16384, 200, 800, 0.3, 1.5))


class Cache:
    """Entries by least recent use, within a number of bytes."""

    def __init__(self, capacity):
        self.capacity, self.used, self.entries = capacity, 0, collections.OrderedDict()

    def read(self, key):
        if key not in self.entries:
            return False
        self.entries.move_to_end(key)
        return True

    def write(self, key, size):
        while self.used + size > self.capacity and self.entries:
            self.used -= self.entries.popitem(last=False)[1]
        self.entries[key] = size
        self.used += size


def hit_rate(users, requests, bytes_per_token, capacity=float("inf"), seed=1):
    """Hits over look-ups of the first so many requests: system prompts, earlier turns, first and further reads of decoding."""
    draw, cache, hits, misses = random.Random(seed), Cache(capacity), 0, 0
    records = collections.OrderedDict()  # conversation: turns; the first was used longest ago
    people, events = [], []
    for user in range(users):
        low, high, fewest, most, least, longest = draw.choice(PERSONAS)
        people.append([draw.randint(low, high), draw.randint(fewest, most), draw.uniform(least, longest), 0, 0])
        heapq.heappush(events, (people[user][2] * draw.uniform(0.8, 1.2), user))
    for _ in range(requests):
        now, user = heapq.heappop(events)
        context, generation, think, conversation, turn = people[user]
        heapq.heappush(events, (now + think * draw.uniform(0.8, 1.2), user))
        if turn and (draw.random() < 0.2 or turn >= 50):
            conversation, turn = conversation + 1, 0
        turn += 1
        people[user][3:] = conversation, turn
        turns = records.pop((user, conversation), [])
        if not turns and len(records) >= 1000:
            records.popitem(last=False)
        records[user, conversation] = turns + [turn]
        tokens = draw.randint(max(1, context // 4), context)
        generated = draw.randint(max(1, generation // 4), generation)
        misses += draw.random() < 0.2
        for earlier in turns:
            found = cache.read((user, conversation, earlier))
            hits, misses = hits + found, misses + (not found)
        cache.write((user, conversation, turn), tokens * bytes_per_token)
        if tokens < 10000:
            hits += 1 + max(1, -(-generated // 32))
            cache.read((user, conversation, turn))
    return hits / (hits + misses)


def replay(requests, capacity, partial=True):
    """Look-ups of a Mooncake trace on blocks of its own size: hits, references, stored and evicted blocks."""
    cache, hits, references, stored, evicted = collections.OrderedDict(), 0, 0, 0, 0
    for request in requests:
        ids = request["hash_ids"] if partial else request["hash_ids"][:request["input_length"] // 512]
        references += len(ids)
        for block in ids:
            if block not in cache:
                break
            hits += 1
        for block in ids:
            if block in cache:
                cache.move_to_end(block)
                continue
            cache[block] = None
            stored += 1
            if capacity and len(cache) > capacity:
                cache.popitem(last=False)
                evicted += 1
    return hits, references, stored, evicted


def whole_prompts(requests, tokens):
    """The same requests where a prompt is one entry, in room for so many tokens (0: all): hits, and their tokens."""
    cache, used, hits, hit_tokens = collections.OrderedDict(), 0, 0, 0
    for request in requests:
        key, size = (tuple(request["hash_ids"]), request["input_length"]), request["input_length"]
        if key in cache:
            cache.move_to_end(key)
            hits, hit_tokens = hits + 1, hit_tokens + size
            continue
        cache[key] = size
        used += size
        while tokens and used > tokens:
            used -= cache.popitem(last=False)[1]
    return hits, hit_tokens
