using System.Text.Json;
using System.Text.Json.Serialization;
using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>
/// A session as it travels between servers: its transcript, and how many records of its KV cache follow. The file is this as one line of
/// JSON; then, for each record, a <see cref="RecordLine"/> and the record's bytes.
/// </summary>
/// <param name="Runs">End and kind of each run, see <see cref="TokenRun"/>.</param>
internal sealed record SessionDocument(
    string Format, int Version, string SessionId, string Model, SessionFingerprint? Fingerprint, AttentionMode Attention, int Turns,
    IReadOnlyList<KeptMessage> Messages, IReadOnlyList<int> Tokens, IReadOnlyList<TokenRun> Runs, CommittedTurn? LastTurn,
    DateTimeOffset Created, DateTimeOffset LastUsed, int Records)
{
    public const string FormatName = "lserve-session";

    public static SessionDocument Of(SessionSnapshot s, int records) => new(
        FormatName, s.Version, s.Key.Session, s.Model, s.Fingerprint, s.Attention, s.Turns, s.Messages, s.Tokens, s.Runs, s.LastTurn, s.Created, s.LastUsed, records);

    /// <exception cref="LServeException">The document is no session.</exception>
    public SessionSnapshot ToSnapshot(SessionKey key)
    {
        if (Format != FormatName) throw Invalid("it isn't an exported session");
        if (Version > SessionSnapshot.CurrentVersion) throw Invalid($"it was written by a later version of this program (format {Version}, known up to {SessionSnapshot.CurrentVersion})");
        if (Tokens is null || Runs is null || Messages is null || Model is null || Turns < 1 || Records < 0) throw Invalid("it is incomplete");
        if (Tokens.Any(token => token < 0)) throw Invalid("it has a token id below zero");
        CheckAscends(Runs.Select(run => run.End), atLeast: 1, "runs");
        CheckAscends(Messages.Select(message => message.EndToken), atLeast: 0, "messages");
        if (Messages.Any(message => message.Role is null || message.Content is null)) throw Invalid("it has a message without role or content");
        return new()
        {
            Key = key, Model = Model, Fingerprint = Fingerprint, Attention = Attention, Turns = Turns, Messages = Messages, Tokens = Tokens.ToArray(),
            Runs = Runs, LastTurn = LastTurn, Created = Created, LastUsed = LastUsed,
        };
    }

    public static LServeException Invalid(string what, Exception? inner = null) =>
        new(new(ErrorCode.InvalidRequest, $"This file can't be imported: {what}."), inner);

    /// <summary>Ends go up, by at least so many tokens each time, and not beyond the tokens.</summary>
    private void CheckAscends(IEnumerable<int> ends, int atLeast, string name)
    {
        var last = 0;
        foreach (var end in ends)
        {
            if (end < last + atLeast || end > Tokens.Count) throw Invalid($"its {name} don't fit its tokens");
            last = end;
        }
    }
}

/// <summary>What precedes a record's bytes.</summary>
/// <param name="Sha256">Of the bytes, in hexadecimal digits.</param>
internal sealed record RecordLine(KvRecordKind Kind, int First, int End, int Length, string Sha256)
{
    public KvRecordId Id => new(Kind, First, End);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SessionDocument))]
[JsonSerializable(typeof(RecordLine))]
[JsonSerializable(typeof(HandoverDocument))]
internal sealed partial class TransferJson : JsonSerializerContext;
