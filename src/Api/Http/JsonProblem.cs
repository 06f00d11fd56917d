using System.Text.Json;
using LServe.Contracts;

namespace LServe.Api.Http;

/// <summary>Says what is wrong with a JSON body in terms of the body, not of this program's types.</summary>
internal static class JsonProblem
{
    public static LServeException Describe(JsonException problem)
    {
        var place = Place(problem);
        // The reader's own failures are syntax; everything else is a value that doesn't fit its field.
        if (problem.InnerException is JsonException || problem.GetType() != typeof(JsonException))
            return LServeException.Invalid($"The body is not valid JSON{place}: {Reason(problem.InnerException ?? problem)}");
        var field = Field(problem.Path);
        return field is null
            ? LServeException.Invalid($"The body must be a JSON object{place}.")
            : LServeException.Invalid($"The value of '{field}' is of the wrong type or out of range{place}.", field);
    }

    private static string Place(JsonException problem) =>
        problem is { LineNumber: { } line, BytePositionInLine: { } position } ? $" (line {line + 1}, byte {position + 1})" : "";

    private static string? Field(string? path) => path is { Length: > 2 } && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : null;

    private static string Reason(Exception problem)
    {
        var end = problem.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? problem.Message : problem.Message[..end];
    }
}
