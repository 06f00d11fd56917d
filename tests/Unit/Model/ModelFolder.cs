using System.Text;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>A copy of one of the reference folders, to be damaged.</summary>
internal sealed class ModelFolder : IDisposable
{
    public ModelFolder(string reference)
    {
        Path = Directory.CreateTempSubdirectory("model-").FullName;
        foreach (var file in Directory.GetFiles(RepositoryFiles.Reference("tiny", reference)).Where(f => System.IO.Path.GetFileName(f) != "cases.safetensors"))
            File.Copy(file, this[System.IO.Path.GetFileName(file)]);
    }

    public string Path { get; }
    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Edit(string name, Action<byte[]> edit)
    {
        var bytes = File.ReadAllBytes(this[name]);
        edit(bytes);
        File.WriteAllBytes(this[name], bytes);
    }

    public void Replace(string name, string text, string replacement)
    {
        var content = File.ReadAllText(this[name], Encoding.Latin1);
        Assert.Contains(text, content);
        File.WriteAllText(this[name], content.Replace(text, replacement), Encoding.Latin1);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
