using LServe.Contracts;

namespace LServe.Api.Turns;

/// <summary>A server has one model; requests name it, or <c>default</c>, or nothing.</summary>
internal static class ModelName
{
    public const string Default = "default";

    public static bool IsServed(string name, string served) => name == Default || name == served;

    /// <exception cref="LServeException">Another model is asked for.</exception>
    public static void Check(string? name, string served)
    {
        if (name is not null && !IsServed(name, served))
            throw new LServeException(new ErrorInfo(
                ErrorCode.ModelNotFound, $"There is no model '{name}' here; use '{served}' or '{Default}'.", "model"));
    }
}
