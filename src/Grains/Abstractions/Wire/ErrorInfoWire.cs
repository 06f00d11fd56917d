using LServe.Contracts;

namespace LServe.Grains.Wire;

/// <summary>The code travels as its name, so that codes may be added or reordered.</summary>
[GenerateSerializer, Immutable, Alias("lserve.wire.ErrorInfo")]
internal struct ErrorInfoWire
{
    [Id(0)] public string Code;
    [Id(1)] public string Message;
    [Id(2)] public string? Param;
    [Id(3)] public bool Retryable;
    [Id(4)] public int? RetryAfterSeconds;
}

[RegisterConverter]
internal sealed class ErrorInfoConverter : IConverter<ErrorInfo, ErrorInfoWire>
{
    public ErrorInfo ConvertFromSurrogate(in ErrorInfoWire wire) => new(
        Enum.TryParse<ErrorCode>(wire.Code, out var code) ? code : ErrorCode.Internal, wire.Message, wire.Param, wire.Retryable, wire.RetryAfterSeconds);

    public ErrorInfoWire ConvertToSurrogate(in ErrorInfo value) => new()
    {
        Code = value.Code.ToString(),
        Message = value.Message,
        Param = value.Param,
        Retryable = value.Retryable,
        RetryAfterSeconds = value.RetryAfterSeconds,
    };
}
