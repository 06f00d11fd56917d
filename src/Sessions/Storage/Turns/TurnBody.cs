using System.Text.Json;
using System.Text.Json.Serialization;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>What one turn added to a session, apart from its token ids, which stand beside it in binary.</summary>
/// <param name="TokensBefore">Tokens before this turn; 0 and the like: the row stands for all that was before it.</param>
/// <param name="Runs">End and kind (0 prefill, 1 decode) of each run that this turn added, by twos.</param>
internal sealed record TurnBody(
    int Version, string Model, SessionFingerprint? Fingerprint, int TokensBefore, int RunsBefore, int MessagesBefore,
    IReadOnlyList<int> Runs, AttentionMode Attention, IReadOnlyList<KeptMessage> Messages, int Turns, CommittedTurn? LastTurn, long Created, long LastUsed)
{
    public static TurnBody Of(SessionSnapshot snapshot, int tokensBefore, int runsBefore, int messagesBefore) => new(
        snapshot.Version, snapshot.Model, snapshot.Fingerprint, tokensBefore, runsBefore, messagesBefore,
        [.. snapshot.Runs.Skip(runsBefore).SelectMany(run => new[] { run.End, run.Kind == SliceKind.Prefill ? 0 : 1 })],
        snapshot.Attention, [.. snapshot.Messages.Skip(messagesBefore)], snapshot.Turns, snapshot.LastTurn, snapshot.Created.UtcTicks, snapshot.LastUsed.UtcTicks);

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, TurnJson.Default.TurnBody);

    /// <exception cref="JsonException">The bytes are no body.</exception>
    public static TurnBody Read(ReadOnlySpan<byte> bytes) => JsonSerializer.Deserialize(bytes, TurnJson.Default.TurnBody) ?? throw new JsonException("null");
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TurnBody))]
internal sealed partial class TurnJson : JsonSerializerContext;
