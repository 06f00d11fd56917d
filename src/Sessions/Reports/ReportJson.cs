using System.Text.Json;
using System.Text.Json.Serialization;

namespace LServe.Sessions;

/// <summary>Reports as JSON, with snake_case names as in the API. Members that a reader doesn't know are ignored.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SiloReport))]
public sealed partial class ReportJson : JsonSerializerContext
{
    public static byte[] Write(SiloReport report) => JsonSerializer.SerializeToUtf8Bytes(report, Default.SiloReport);

    /// <exception cref="JsonException">The bytes are no report.</exception>
    public static SiloReport Read(ReadOnlySpan<byte> bytes) => JsonSerializer.Deserialize(bytes, Default.SiloReport) ?? throw new JsonException("null");
}
