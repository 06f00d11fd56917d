using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>
/// Which records of its KV cache went with a session after each of its turns: from which turn (<c>Born</c>) until before which
/// (<c>Died</c>) each belongs to it. Turns are counted by their place in the blob, from 0.
/// </summary>
internal sealed class RecordHistory
{
    private readonly Dictionary<KvRecordId, (KvLocator Place, int Born)> _alive;
    private List<(KvRecordId Id, KvLocator Place, int Born, int Died)> _dead;

    public RecordHistory() => (_alive, _dead) = ([], []);

    private RecordHistory(RecordHistory from) => (_alive, _dead) = (new(from._alive), [.. from._dead]);

    /// <summary>The records that go with the session now.</summary>
    public Dictionary<KvRecordId, KvLocator> Current => _alive.ToDictionary(r => r.Key, r => r.Value.Place);

    /// <summary>The records of all turns that are known.</summary>
    public IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> All =>
        [.. _alive.Select(r => KeyValuePair.Create(r.Key, r.Value.Place)), .. _dead.Select(r => KeyValuePair.Create(r.Id, r.Place))];

    public RecordHistory Copy() => new(this);

    /// <summary>What makes the records after a turn those of <paramref name="next"/>.</summary>
    public RecordChange ChangeTo(IReadOnlyDictionary<KvRecordId, KvLocator> next) => new(
        [.. _alive.Where(r => !next.TryGetValue(r.Key, out var place) || place != r.Value.Place).Select(r => r.Key)],
        [.. next.Where(r => !_alive.TryGetValue(r.Key, out var now) || now.Place != r.Value)]);

    /// <param name="turn">Place of the turn that changes it.</param>
    public void Apply(int turn, RecordChange change)
    {
        foreach (var id in change.Removed)
            if (_alive.Remove(id, out var gone))
                _dead.Add((id, gone.Place, gone.Born, turn));
        foreach (var (id, place) in change.Added) _alive[id] = (place, turn);
    }

    /// <summary>Drops what no turn from <paramref name="oldest"/> on has.</summary>
    public void Forget(int oldest) => _dead.RemoveAll(r => r.Died <= oldest);

    /// <summary>Names new places; null: the record is gone.</summary>
    public void Move(IReadOnlyDictionary<KvLocator, KvLocator?> moved)
    {
        foreach (var (id, now) in _alive.ToArray())
            if (!moved.TryGetValue(now.Place, out var place)) continue;
            else if (place is { } there) _alive[id] = (there, now.Born);
            else _alive.Remove(id);
        _dead =
        [
            .. _dead.Select(r => (r.Id, Place: moved.TryGetValue(r.Place, out var place) ? place : r.Place, r.Born, r.Died))
                .Where(r => r.Place is not null).Select(r => (r.Id, r.Place!.Value, r.Born, r.Died)),
        ];
    }
}

/// <summary>What a turn changed about a session's records.</summary>
internal sealed record RecordChange(IReadOnlyList<KvRecordId> Removed, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> Added);
