using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>Body of every failed request, and the last event of a stream that failed.</summary>
public sealed record ErrorBody(ErrorDetail Error);

/// <param name="Message">What is wrong and what to do about it.</param>
/// <param name="Type">The kind of error, for programs that handle kinds.</param>
/// <param name="Param">The field at fault.</param>
/// <param name="Code">The error, in the spelling of <see cref="ErrorCode"/>.</param>
public sealed record ErrorDetail(
    string Message, string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);
