using System.Runtime.InteropServices;
using System.Text.Json;
using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Puts a session together from what its turns added, and stops at the first that isn't what was written.</summary>
internal sealed class TurnHistory(SessionKey key)
{
    private readonly List<int> _tokens = [];
    private readonly List<TokenRun> _runs = [];
    private readonly List<KeptMessage> _messages = [];
    private TurnBody? _last;

    /// <param name="tokens">Ids of 4 bytes, little-endian.</param>
    /// <param name="body">What <see cref="TurnBody.Write"/> gave.</param>
    /// <exception cref="SessionStoreException">The turn is damaged, doesn't follow the one before, or is of a later version.</exception>
    public void Add(ReadOnlySpan<byte> tokens, ReadOnlySpan<byte> body)
    {
        var turn = Parse(body);
        if (turn.Version > SessionSnapshot.CurrentVersion)
            throw new SessionStoreException(StoreFailure.TooNew, $"Session {key} was continued by a later version of this program; use that one.");
        if ((turn.TokensBefore, turn.MessagesBefore, turn.RunsBefore) != (_tokens.Count, _messages.Count, _runs.Count)) throw Damaged();
        _tokens.AddRange(MemoryMarshal.Cast<byte, int>(tokens));
        for (var i = 0; i + 1 < turn.Runs.Count; i += 2) _runs.Add(new(turn.Runs[i], turn.Runs[i + 1] == 0 ? SliceKind.Prefill : SliceKind.Decode));
        _messages.AddRange(turn.Messages);
        _last = turn;
    }

    /// <summary>The session as it was after the last turn.</summary>
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

    private TurnBody Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            return TurnBody.Read(body);
        }
        catch (JsonException)
        {
            throw Damaged();
        }
    }
}
