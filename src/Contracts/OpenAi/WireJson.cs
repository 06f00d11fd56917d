using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>How everything on the wire is read and written: snake_case names, absent fields instead of nulls, no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(SamplingOptionsConverter)])]
[JsonSerializable(typeof(ChatCompletionRequest))]
[JsonSerializable(typeof(CompletionRequest))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatCompletionChunk))]
[JsonSerializable(typeof(Completion))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(SessionReply))]
[JsonSerializable(typeof(SessionTravel))]
[JsonSerializable(typeof(SessionMove))]
[JsonSerializable(typeof(HealthReply))]
[JsonSerializable(typeof(StatsReply))]
[JsonSerializable(typeof(TurnRequest))]
[JsonSerializable(typeof(TurnEvent))]
[JsonSerializable(typeof(ErrorCode))]
[JsonSerializable(typeof(SamplingFields))]
public sealed partial class WireJson : JsonSerializerContext;
