using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>Puts a session together from its rows, and stops at the first that isn't what was written.</summary>
internal sealed class TurnFold(SessionKey key, long session)
{
    private readonly TurnHistory _history = new(key);

    public long Commit { get; private set; }
    public long Chain { get; private set; }

    /// <exception cref="SessionStoreException">The row is damaged, doesn't follow the one before, or is of a later version.</exception>
    public void Add(in TurnRow row)
    {
        if (TurnRows.Link(Chain, session, row) != row.Chain) throw Damaged();
        _history.Add(row.Tokens, row.Body);
        (Commit, Chain) = (row.Commit, row.Chain);
    }

    /// <summary>The session as it was after the last row.</summary>
    public SessionSnapshot ToSnapshot(IReadOnlyDictionary<KvRecordId, KvLocator> kv) => _history.ToSnapshot(kv);

    public SessionStoreException Damaged() => _history.Damaged();
}
