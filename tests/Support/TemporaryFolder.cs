namespace LServe.Tests.Support;

/// <summary>A folder that is gone, with all that is in it, when the test is.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lserve-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
