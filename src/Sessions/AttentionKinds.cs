using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Between what clients ask for and what the engine does.</summary>
public static class AttentionKinds
{
    public static AttentionKind ToKind(this AttentionMode mode) => mode == AttentionMode.LServe ? AttentionKind.LServe : AttentionKind.Dense;

    public static AttentionMode ToMode(this AttentionKind kind) => kind == AttentionKind.LServe ? AttentionMode.LServe : AttentionMode.Dense;

    /// <exception cref="LServeException">The session attends another way since its first turn.</exception>
    internal static void Check(SessionKey key, AttentionMode kept, AttentionKind? asked)
    {
        if (asked is not { } wanted || wanted.ToMode() == kept) return;
        var (was, name) = (Name(kept.ToKind()), Name(wanted));
        throw new LServeException(new(ErrorCode.SessionConflict,
            $"Session {key} attends '{was}' since its first turn, and a session can't change that: heads that stream forget. Leave 'attention' out, or fork it: " +
            $"POST /v1/sessions/{Uri.EscapeDataString(key.Session)}/fork with {{\"session_id\": \"<new name>\", \"attention\": \"{name}\"}} computes its tokens again the other way.",
            "attention"));
    }

    /// <exception cref="LServeException">This server has no sparse attention.</exception>
    public static void CheckServed(Engine engine, AttentionKind? asked)
    {
        if (asked == AttentionKind.LServe && engine.Options.LServe is null)
            throw LServeException.Invalid("This server attends densely only. Leave 'attention' out, or start the server with --attention lserve.", "attention");
    }

    private static string Name(AttentionKind kind) => kind == AttentionKind.LServe ? "lserve" : "dense";
}
