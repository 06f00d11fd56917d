using System.Runtime.InteropServices;
using System.Text.Json;
using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>Puts a session together from its turns, and stops at the first that isn't what was written.</summary>
internal sealed class TurnFold(SessionKey key, long session)
{
    private readonly List<int> _tokens = [];
    private readonly List<TokenRun> _runs = [];
    private readonly List<KeptMessage> _messages = [];
    private TurnBody? _last;

    public long Commit { get; private set; }
    public long Chain { get; private set; }

    /// <exception cref="SessionStoreException">The row is damaged, doesn't follow the one before, or is of a later version.</exception>
    public void Add(in TurnRow row)
    {
        if (TurnRows.Link(Chain, session, row) != row.Chain) throw Damaged();
        TurnBody body;
        try
        {
            body = TurnBody.Read(row.Body);
        }
        catch (JsonException)
        {
            throw Damaged();
        }
        if (body.Version > SessionSnapshot.CurrentVersion)
            throw new SessionStoreException(StoreFailure.TooNew, $"Session {key} was continued by a later version of this program; use that one.");
        if ((body.TokensBefore, body.MessagesBefore, body.RunsBefore) != (_tokens.Count, _messages.Count, _runs.Count))
            throw Damaged();
        _tokens.AddRange(MemoryMarshal.Cast<byte, int>(row.Tokens));
        for (var i = 0; i + 1 < body.Runs.Count; i += 2) _runs.Add(new(body.Runs[i], body.Runs[i + 1] == 0 ? SliceKind.Prefill : SliceKind.Decode));
        _messages.AddRange(body.Messages);
        (_last, Commit, Chain) = (body, row.Commit, row.Chain);
    }

    /// <summary>The session as it was after the last row.</summary>
    public SessionSnapshot ToSnapshot(IReadOnlyDictionary<KvRecordId, KvLocator> kv)
    {
        var last = _last ?? throw Damaged();
        return new()
        {
            Key = key,
            Model = last.Model,
            Fingerprint = last.Fingerprint,
            Tokens = _tokens.ToArray(),
            Runs = _runs.ToArray(),
            Attention = last.Attention,
            Messages = _messages.ToArray(),
            Turns = last.Turns,
            LastTurn = last.LastTurn,
            Created = new(last.Created, TimeSpan.Zero),
            LastUsed = new(last.LastUsed, TimeSpan.Zero),
            Kv = kv,
        };
    }

    public SessionStoreException Damaged() => new(
        StoreFailure.Damaged,
        _last is null
            ? $"The turns of session {key} are damaged. Other sessions are not concerned; delete this one to begin it anew."
            : $"The turns of session {key} are damaged after turn {_last.Turns}. Other sessions are not concerned; rewind this one to turn {_last.Turns}, or delete it.");
}
