namespace LServe.Tests.Support;

/// <summary>A file that is gone when the test is.</summary>
public sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(byte[] content, string extension = ".gguf")
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetRandomFileName() + extension);
        File.WriteAllBytes(Path, content);
    }

    public string Path { get; }
    public void Dispose() => File.Delete(Path);
}
