using LServe.Inference;
using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>Hashes the beginning of a conversation, by which a save sees, without reading what is kept, whether it only adds to it.</summary>
internal static class SessionPrefix
{
    public static long Of(SessionSnapshot snapshot, int tokens, int computed, int messages)
    {
        var sum = new RowChecksum().Add(AsSpan(snapshot.Tokens)[..tokens]);
        foreach (var run in Clip(snapshot.Runs, computed)) sum.Add(run.End).Add((long)run.Kind);
        for (var i = 0; i < messages; i++) sum.Add(snapshot.Messages[i].Role).Add(snapshot.Messages[i].Content).Add(snapshot.Messages[i].EndToken);
        return sum.Of();
    }

    public static int ComputedOf(SessionSnapshot snapshot) => snapshot.Runs.Count == 0 ? 0 : snapshot.Runs[^1].End;

    /// <summary>Whether neighbours differ in kind, as the engine writes them; only then can runs be stored piece by piece.</summary>
    public static bool IsCanonical(IReadOnlyList<TokenRun> runs)
    {
        for (var i = 1; i < runs.Count; i++)
            if (runs[i].Kind == runs[i - 1].Kind)
                return false;
        return true;
    }

    public static ReadOnlySpan<int> AsSpan(IReadOnlyList<int> tokens) => tokens as int[] ?? tokens.ToArray();

    private static IEnumerable<TokenRun> Clip(IReadOnlyList<TokenRun> runs, int computed)
    {
        foreach (var run in runs)
        {
            yield return run with { End = Math.Min(run.End, computed) };
            if (run.End >= computed) yield break;
        }
    }
}
